"""Scripts in AWS's framework images: the images are those of the SageMaker SDK, and what cannot work is refused."""

from __future__ import annotations

import dataclasses
import importlib.util
from pathlib import Path
from typing import Any

import pytest
from configuration import problems

from mlops_constructs import (
    Algorithm,
    CategoricalParameter,
    Dataset,
    Endpoint,
    EndpointLimits,
    Evaluation,
    EvaluationJob,
    Requests,
    Retry,
    Training,
    Tuning,
)
from mlops_constructs.config._script_folder import MAX_FILES, MAX_TOTAL_BYTES
from mlops_constructs.config.framework_images import find_image, frameworks, versions_of
from mlops_constructs.config.ranges import json_value, parameter_ranges

GENERATOR = Path(__file__).resolve().parents[2] / "docs" / "generate_images.py"


def generator() -> Any:
    """Load the program that writes the list of images."""
    specification = importlib.util.spec_from_file_location("generate_images", GENERATOR)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A source with a script and its serving functions."""
    for name in ("train.py", "inference.py", "jobs/fit.py", "run.sh"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("from joblib import load as model_fn\n")
    return tmp_path


def script(source: Path | str, entry_point: Any = "train.py", **changes: Any) -> Algorithm:
    return Algorithm.from_script(
        entry_point, **{"source": source, "framework": "sklearn", "version": "1.9-0", **changes}
    )


def told(algorithm: Algorithm, **more: Any) -> list[str]:
    """Give the problems without the name of the source's folder."""
    return [line.replace(str(algorithm.script.source), "SOURCE") for line in problems(algorithm=algorithm, **more)]  # type: ignore[union-attr]


def test_the_images_are_those_of_the_sdk() -> None:
    module = generator()
    assert module.FILE.read_text() == module.text(), "run python docs/generate_images.py"


@pytest.mark.parametrize(
    ("framework", "scope", "version", "instance_type", "place"),
    [
        ("sklearn", "training", "1.9-0", "ml.m5.large", "sagemaker-scikit-learn:1.9-0-cpu-py3"),
        ("sklearn", "inference", "1.4-2-py312", "ml.m5.large", "sagemaker-scikit-learn:1.4-2-py312-cpu-py3"),
        ("xgboost", "training", "3.2-0", "ml.g5.xlarge", "sagemaker-xgboost:3.2-0"),
        ("pytorch", "training", "2.10", "ml.m5.large", "pytorch-training:2.10-cpu-py313"),
        ("pytorch", "training", "2.13", "ml.m5.large", "pytorch:2.13-cpu-amzn2023-sagemaker"),
        ("pytorch", "training", "2.13", "ml.g5.xlarge", "pytorch:2.13-cu133-amzn2023-sagemaker"),
        ("tensorflow", "training", "2.21", "ml.p4d.24xlarge", "tensorflow-training:2.21-gpu-py312"),
        (
            *("huggingface", "training", "5.3", "ml.g5.xlarge"),
            "huggingface-pytorch-training:2.9.0-transformers5.3.0-gpu-py312-cu130-ubuntu22.04",
        ),
    ],
)
def test_the_tag_is_the_one_that_the_sdk_retrieves(
    framework: str, scope: Any, version: str, instance_type: str, place: str
) -> None:
    image = find_image(framework, scope, version)
    assert image is not None
    assert image.place(instance_type) == place
    assert {"us-east-1", "us-gov-west-1"} <= set(image.accounts)
    assert not [region for region in image.accounts if region.startswith("cn-")]


def test_no_moving_version_is_offered() -> None:
    assert not [one for name in frameworks() for one in versions_of(name, "training") if "latest" in one]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"entry_point": "jobs/fit.py"},
        {"entry_point": "run.sh"},
        {"version": "1.4-2", "inference_version": "1.4-2-py312"},
        {"framework": "pytorch", "version": "2.10", "inference_version": "2.6", "python": "py313"},
        {"framework": "pytorch", "version": "2.13", "inference_image_uri": "${aws_ecr_repository.ours.repository_url}"},
    ],
)
def test_a_script_is_taken(source: Path, changes: dict[str, Any]) -> None:
    assert told(script(source, **changes)) == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"framework": "mxnet"}, "framework: must be 'huggingface', 'pytorch', "),
        ({"version": "1.3-1"}, "version: must be one of ['1.2-1', '1.4-2', '1.4-2-py312', '1.9-0'], got '1.3-1'"),
        ({"version": "1.4-2"}, "inference_version: must be one of ['1.2-1', '1.4-2-py312', '1.9-0']: AWS has no image"),
        ({"framework": "pytorch", "version": "2.10"}, "inference_version: must be one of ['2.5.1', '2.5', '2.6.0'"),
        (
            {"framework": "pytorch", "version": "2.10", "python": "py312", "inference_version": "2.6"},
            "python: must be that of AWS's image of pytorch 2.10, 'py313', got 'py312'",
        ),
        ({"python": "py312"}, "python: must be that of AWS's image of sklearn 1.9-0, 'py3', got 'py312'"),
        ({"inference_image_uri": "nginx"}, "inference_image_uri: must name an image in ECR"),
        ({"entry_point": "fit.py"}, "entry_point: must be a file in SOURCE, got 'fit.py'"),
        ({"entry_point": "../train.py"}, "entry_point: must be a path in source, of letters"),
        ({"entry_point": "/train.py"}, "entry_point: must be a path in source, of letters"),
        ({"entry_point": "train"}, "entry_point: must be a path in source, of letters"),
        ({"entry_point": 7}, "entry_point: must be a string"),
        ({"inference_entry_point": "jobs/fit.py"}, "inference_entry_point: must be a Python module at the top"),
        ({"source": "/nowhere/at/all"}, "source: must be a folder, got 'SOURCE'"),
    ],
)
def test_a_mistake_is_named(source: Path, changes: dict[str, Any], expected: str) -> None:
    (line,) = told(script(**{"source": source, **changes}))
    assert line.startswith(f"algorithm.script.{expected}")


@pytest.mark.parametrize(
    ("name", "code", "expected"),
    [
        ("train.py", "x = 1\nif x\n", "\"train.py, line 2: expected ':'"),
        ("train.py", "\0", "'train.py"),
        ("train.py", "# coding: nothing\n", "'train.py"),
        ("train.py", "try: pass\nexcept* OSError: pass\n", "'train.py, line "),
    ],
)
def test_code_that_the_image_cannot_read_is_refused(source: Path, name: str, code: str, expected: str) -> None:
    (source / name).write_text(code)
    (line,) = told(script(source, framework="tensorflow", version="2.18", inference_version="2.18"))
    rule = "algorithm.script.entry_point: must be a module that Python 3.10 can read, got "
    assert line.startswith(f"{rule}{expected}")


def test_code_that_the_image_reads_is_taken(source: Path) -> None:
    (source / "train.py").write_text("match '\\d':\n    case _: pass\n")
    assert told(script(source, framework="tensorflow", version="2.18", inference_version="2.18")) == []


def test_the_module_that_serves_is_read_too(source: Path) -> None:
    (source / "inference.py").write_text("model_fn = [")
    (line,) = told(script(source, framework="pytorch", version="2.5"))
    rule = (
        'algorithm.script.inference_entry_point: must be a module that Python 3.11 can read, got "inference.py, line 1'
    )
    assert line.startswith(rule)


def test_a_script_without_a_function_that_loads_is_refused(source: Path) -> None:
    (source / "inference.py").write_text("def load(folder): ...")
    (line,) = told(script(source))
    assert line.startswith("algorithm.script.inference_entry_point: must define model_fn(model_dir): AWS's image of")


@pytest.mark.parametrize(
    "code",
    [
        "from serving import *",
        "from serving import (\n    model_fn,\n)",
        "model_fn = lambda folder: None",
        "pattern = '\\d'\nasync def model_fn(folder): ...",
    ],
)
def test_a_module_gets_model_fn_in_its_own_way(source: Path, code: str) -> None:
    (source / "inference.py").write_text(code)
    assert told(script(source)) == []


def test_other_images_load_models_without_model_fn(source: Path) -> None:
    (source / "inference.py").write_text("")
    assert told(script(source, framework="xgboost", version="3.0-5")) == []
    image = "${aws_ecr_repository.ours.repository_url}"
    assert told(script(source, inference_image_uri=image)) == []


def test_the_grammar_of_a_newer_python_is_not_judged(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.version_info", (3, 12, 0))
    (source / "train.py").write_text("template = t'{1}'\n")
    assert told(script(source, framework="pytorch", version="2.10", inference_version="2.6")) == []
    (line,) = told(script(source, framework="pytorch", version="2.9", inference_version="2.6"))
    assert "must be a module that Python 3.12 can read" in line


def test_a_script_in_a_folder_needs_a_module_that_serves(source: Path) -> None:
    (source / "inference.py").unlink()
    (line,) = told(script(source, "jobs/fit.py"))
    assert line.startswith("algorithm.script.inference_entry_point: must be a Python module at the top of source")
    assert told(script(source, "train.py")) == []


def test_what_is_not_of_a_source_is_refused(source: Path) -> None:
    for file in source.rglob("*.py"):
        file.write_text("")
    (source / "run.sh").write_text("")
    (source / "mlops_entry_point.py").write_text("")
    (source / "weights.bin").write_bytes(bytes(MAX_TOTAL_BYTES + 1))
    lines = told(script(source))
    assert [line.split(":")[1].strip() for line in lines] == [
        f"must contain at most {MAX_TOTAL_BYTES} bytes in total, got {MAX_TOTAL_BYTES + 1}; keep data and models "
        "elsewhere, or use a container of your own",
        "must not contain mlops_entry_point.py, which the pipeline adds, got 'mlops_entry_point.py'; rename it",
    ]


def test_an_environment_in_the_source_is_refused_before_it_is_read(source: Path) -> None:
    for number in range(MAX_FILES):
        (source / f"{number}.txt").touch()
    (line,) = told(script(source))
    assert line.startswith(f"algorithm.script.source: must contain at most {MAX_FILES} files")


@pytest.mark.parametrize("name", ["requirements.txt", "setup.py"])
def test_packages_are_installed_only_with_a_network(source: Path, name: str) -> None:
    (source / name).write_text("")
    (line,) = told(script(source))
    assert line.startswith(f"training.enable_network_isolation: must be False: AWS's image installs {name}")
    assert told(script(source), training=Training(enable_network_isolation=False)) == []


@pytest.mark.parametrize("name", ["sagemaker_program", "sagemaker_mpi_enabled", "_tuning_objective_metric"])
def test_a_hyperparameter_of_the_toolkit_is_refused(source: Path, name: str) -> None:
    (line,) = told(script(source), training=Training(hyperparameters={name: "x"}))
    assert line.startswith(f"training.hyperparameters['{name}']: is the toolkit's own")


def test_a_tuned_hyperparameter_of_the_toolkit_is_refused(source: Path) -> None:
    ranges = {"sagemaker_program": CategoricalParameter(["a.py", "b.py"])}
    tuning = Tuning(objective_metric_name="validation:accuracy", hyperparameter_ranges=ranges)
    (line,) = told(script(source), tuning=tuning)
    assert line.startswith("tuning.hyperparameter_ranges['sagemaker_program']: is the toolkit's own")


def test_secrets_stay_here(source: Path) -> None:
    (source / ".env").write_text("PASSWORD=1\n" * MAX_TOTAL_BYTES)
    assert told(script(source)) == []


def test_the_toolkit_needs_room_among_the_hyperparameters(source: Path) -> None:
    assert told(script(source), training=Training(hyperparameters={str(one): one for one in range(95)})) == []
    (line,) = told(script(source), training=Training(hyperparameters={str(one): one for one in range(96)}))
    assert line.startswith("training.hyperparameters: must have at most 95 entries beside the toolkit's own, got 96")


def test_the_quotes_of_a_text_count(source: Path) -> None:
    assert told(script(source), training=Training(hyperparameters={"a": "x" * 2498})) == []
    (line,) = told(script(source), training=Training(hyperparameters={"a": "x" * 2499}))
    assert line.startswith("training.hyperparameters['a']: must have at most 2500 characters as JSON")


GPU = Endpoint(instance_type="ml.g5.xlarge")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"training": Training(instance_type="ml.g5.xlarge")}, "training.instance_type: must be an instance type with"),
        ({"dev": GPU}, "dev.instance_type: must be an instance type with cpu: AWS's image that serves sklearn has no"),
        (
            {"training": Training(instance_type="ml.m7g.xlarge")},
            "training.instance_type: must be an instance type with",
        ),
        ({"evaluation": Evaluation(job=EvaluationJob(entrypoint=["judge"]))}, "evaluation.job: must be None: AWS's"),
    ],
)
def test_what_does_not_fit_the_image_is_refused(source: Path, changes: dict[str, Any], expected: str) -> None:
    (line,) = told(script(source), **changes)
    assert line.startswith(expected)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"dev": GPU}, "production.instance_type: all instance types must have the same image"),
        (
            {"training": Training(retry=Retry(fallback_instance_types=["ml.g5.xlarge"]))},
            "training.instance_type: all instance types must have the same image",
        ),
        (
            {"dataset": Dataset(requests=Requests(dev=EndpointLimits(instance_types=["ml.g5.xlarge"])))},
            "production.instance_type: all instance types must have the same image",
        ),
    ],
)
def test_a_model_has_one_image(source: Path, changes: dict[str, Any], expected: str) -> None:
    pytorch = script(source, framework="pytorch", version="2.6")
    (line,) = told(pytorch, **changes)
    assert line.startswith(expected)
    # XGBoost's image is the same for both.
    assert told(script(source, framework="xgboost", version="3.2-0"), **changes) == []


def test_endpoints_with_an_image_of_ones_own_have_any_instance_types(source: Path) -> None:
    uri = "123456789012.dkr.ecr.us-east-1.amazonaws.com/ours@sha256:" + "ab" * 32
    own = script(source, framework="pytorch", version="2.13", inference_image_uri=uri)
    assert told(own, dev=GPU) == []
    both = dataclasses.replace(own.script, inference_version="2.6")  # type: ignore[type-var]
    (line,) = told(Algorithm(script=both))
    assert line.startswith("algorithm.script.inference_version: must not be given with inference_image_uri")


def test_values_are_written_as_the_sdk_writes_them() -> None:
    values = {"text": "20", "number": 20, "rate": 1e-05, "flag": True}
    written = {name: json_value(value) for name, value in values.items()}  # type: ignore[arg-type]
    assert written == {"text": '"20"', "number": "20", "rate": "1e-05", "flag": "true"}


def test_a_search_writes_categories_likewise() -> None:
    (entry,) = parameter_ranges({"kind": CategoricalParameter(["a", 1])}, json_value)["CategoricalParameterRanges"]
    assert entry == {"Name": "kind", "Values": ['"a"', "1"]}
