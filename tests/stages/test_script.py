"""What is deployed for a script: its source with TrainModel, its images, and what its container is told."""

from __future__ import annotations

import io
import json
import os
import tarfile
import zipfile
from typing import TYPE_CHECKING, Any

import pytest
from synthesis import Synthesized, archive_at, synth

from mlops_constructs import Algorithm, Training
from mlops_constructs._script_source import SOURCE, packed
from mlops_constructs.config.script import ScriptAlgorithm

if TYPE_CHECKING:
    from pathlib import Path

OURS = "123456789012.dkr.ecr.us-east-1.amazonaws.com/ours@sha256:" + "ab" * 32


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("source")
    (folder / "jobs").mkdir()
    (folder / "jobs" / "fit.py").write_text("print('fit')\n")
    (folder / "inference.py").write_text("def model_fn(model_dir): ...\n")
    (folder / "run.sh").write_text("#!/bin/sh\n")
    (folder / "run.sh").chmod(0o755)
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "inference.pyc").write_text("")
    return folder


def algorithm(source: Path, **changes: Any) -> Algorithm:
    given = {"source": source, "framework": "sklearn", "version": "1.9-0", "retrain_on_new_source": True, **changes}
    return Algorithm.from_script("jobs/fit.py", **given)


@pytest.fixture(scope="module")
def stack(source: Path) -> Synthesized:
    return synth(algorithm=algorithm(source), training=Training(hyperparameters={"kind": "20", "trees": 20}))


def archive_of(stack: Synthesized, folder: str) -> zipfile.ZipFile:
    name = stack.one("aws_lambda_function", handler=f"{folder}.handler.handler")["function_name"]
    return zipfile.ZipFile(archive_at(stack.one("aws_s3_object", key=f"functions/{name}.zip")["source_hash"], folder))


def environment_of(stack: Synthesized, folder: str) -> dict[str, str]:
    function = stack.one("aws_lambda_function", handler=f"{folder}.handler.handler")
    variables: dict[str, str] = function["environment"]["variables"]
    return variables


def models(stack: Synthesized) -> list[dict[str, Any]]:
    name = next(key for key in (one["key"] for one in stack.all("aws_s3_object").values()) if "templates" in key)
    digest = stack.one("aws_s3_object", key=name)["source_hash"]
    with zipfile.ZipFile(archive_at(digest, "endpoints")) as bundle:
        templates = [json.loads(bundle.read(f"{endpoint}.json")) for endpoint in ("dev", "production")]
    return [template["Resources"]["Model"]["Properties"] for template in templates]


def test_the_source_travels_with_the_function_that_starts_the_job(stack: Synthesized) -> None:
    with archive_of(stack, "train_model") as function:
        content = function.read(SOURCE)
    with tarfile.open(fileobj=io.BytesIO(content)) as bundle:
        modes = {member.name: member.mode for member in bundle}
        starter = bundle.extractfile("mlops_entry_point.py")
        assert starter is not None
        assert b"ENTRY_POINT = 'jobs/fit.py'\n" in starter.read()
    plain = dict.fromkeys(("inference.py", "jobs/fit.py", "mlops_entry_point.py"), 0o644)
    assert modes == {**plain, "run.sh": 0o755}


def test_equal_sources_have_equal_bytes(source: Path) -> None:
    script = algorithm(source).script
    assert script is not None
    first = packed(script, "ml.m5.large")
    os.utime(source / "inference.py", (1, 1))
    assert packed(script, "ml.m5.xlarge") == first


@pytest.mark.parametrize("changes", [{"version": "1.4-2-py312"}, {"entry_point": "inference.py"}])
def test_another_image_or_script_has_another_digest(source: Path, changes: dict[str, Any]) -> None:
    script = ScriptAlgorithm(
        **{"entry_point": "jobs/fit.py", "source": source, "framework": "sklearn", "version": "1.9-0"}
    )
    other = ScriptAlgorithm(
        **{"entry_point": "jobs/fit.py", "source": source, "framework": "sklearn", "version": "1.9-0", **changes}
    )
    assert packed(script, "ml.m5.large").sha256 != packed(other, "ml.m5.large").sha256


def test_the_toolkit_is_told_what_to_run(stack: Synthesized) -> None:
    assert stack.function_document("train_model")["training_job"]["HyperParameters"] == {
        "kind": '"20"',
        "trees": "20",
        "sagemaker_program": '"mlops_entry_point.py"',
        "sagemaker_submit_directory": '"/opt/ml/input/data/code/sourcedir.tar.gz"',
        "sagemaker_container_log_level": "20",
    }


def test_a_model_is_told_what_serves_it(stack: Synthesized) -> None:
    expected = {
        "SAGEMAKER_PROGRAM": "inference.py",
        "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code",
        "SAGEMAKER_CONTAINER_LOG_LEVEL": "20",
        "SAGEMAKER_REGION": {"Ref": "AWS::Region"},
    }
    assert [model["PrimaryContainer"]["Environment"] for model in models(stack)] == [expected, expected]
    registered = json.loads(environment_of(stack, "register_model")["ENVIRONMENT"])
    assert {**registered, "SAGEMAKER_REGION": {"Ref": "AWS::Region"}} == expected


def test_a_container_is_told_nothing_of_it() -> None:
    plain = synth()
    assert not any("Environment" in model["PrimaryContainer"] for model in models(plain))
    with archive_of(plain, "train_model") as function:
        assert SOURCE not in function.namelist()
    assert not [one for one in plain.policy("-train-model") if one["Action"] == "s3:PutObject"]


def test_train_model_may_write_sources_and_nothing_else(stack: Synthesized) -> None:
    (written,) = [one for one in stack.policy("-train-model") if one["Action"] == "s3:PutObject"]
    assert written["Resource"].endswith(f"/datasets/{stack.pipeline.name}/sources/*")


def test_one_change_of_script_and_version_is_one_event(stack: Synthesized) -> None:
    name = f"/{stack.pipeline.name}/source"
    rules = stack.all("aws_cloudwatch_event_rule").values()
    (watched,) = [json.loads(one["event_pattern"]) for one in rules if "aws.ssm" in one.get("event_pattern", "")]
    assert watched["detail"]["name"] == [name]
    parameter = stack.one("aws_ssm_parameter", name=name)
    assert parameter["value"] == stack.function_document("train_model")["source_sha256"]
    # The event comes when the function has the new source.
    assert any("train_model" in one for one in parameter["depends_on"])


def test_one_image_trains_and_serves(stack: Synthesized) -> None:
    assert environment_of(stack, "register_model")["SERVING_IMAGE"] == ""
    pulls = {role: _pulled(stack, role) for role in ("-training", "-model-dev", "-register-model")}
    assert len({tuple(arns) for arns in pulls.values()}) == 1


def test_another_version_serves_from_its_own_repository(source: Path) -> None:
    torch = synth(algorithm=algorithm(source, framework="pytorch", version="2.10", inference_version="2.6"))
    assert environment_of(torch, "register_model")["SERVING_IMAGE"].endswith("/pytorch-inference:2.6-cpu-py312")
    (trained,), (served,) = _pulled(torch, "-training"), _pulled(torch, "-model-dev")
    assert (trained.rpartition("/")[2], served.rpartition("/")[2]) == ("pytorch-training", "pytorch-inference")
    assert _pulled(torch, "-register-model") == [trained, served]
    (conditions,) = [
        one["lifecycle"]["precondition"] for one in torch.all("aws_ssm_parameter").values() if "lifecycle" in one
    ]
    assert len(conditions) == 2


def test_an_image_of_ones_own_serves(source: Path) -> None:
    own = synth(algorithm=algorithm(source, framework="pytorch", version="2.13", inference_image_uri=OURS))
    assert environment_of(own, "register_model")["SERVING_IMAGE"] == OURS
    (served,) = _pulled(own, "-model-production")
    assert served.endswith(":ecr:us-east-1:123456789012:repository/ours")


def _pulled(stack: Synthesized, role: str) -> list[str]:
    (pull,) = [one for one in stack.policy(role) if "ecr:BatchGetImage" in one["Action"]]
    return pull["Resource"] if isinstance(pull["Resource"], list) else [pull["Resource"]]
