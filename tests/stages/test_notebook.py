"""The notebook instance."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from notebook_script import on_start
from synthesis import CONTAINER, Synthesized, document_of, new_stack, synth

import mlops_constructs
from mlops_constructs import ABTest, Algorithm, DataCapture, Dataset, Endpoint, Existing, MLOpsPipeline, Notebook
from mlops_constructs._payload import archive, folder_files
from mlops_constructs.stages.notebook.stage import notebook_files

NOTEBOOKS = Path(mlops_constructs.__file__).parent / "notebooks"
SCRIPT = NOTEBOOKS.parent / "stages" / "notebook" / "on_start.sh"
GITHUB = "https://github.com/acme/churn"
SECRET = "arn:aws:secretsmanager:us-east-1:111122223333:secret:git-AbCdEf"


@pytest.fixture(scope="module")
def stack() -> Synthesized:
    return synth()


def instance(stack: Synthesized) -> dict[str, Any]:
    return stack.one("aws_sagemaker_notebook_instance")


def granted(stack: Synthesized) -> dict[str, list[str]]:
    """Give the notebook role's actions, each with its resources."""
    found: dict[str, list[str]] = {}
    for statement in stack.policy("notebook"):
        actions, resources = statement["Action"], statement["Resource"]
        for action in [actions] if isinstance(actions, str) else actions:
            found.setdefault(action, []).extend([resources] if isinstance(resources, str) else resources)
    return found


def test_imds_v2_no_root_own_key(stack: Synthesized) -> None:
    notebook = instance(stack)
    assert notebook["instance_metadata_service_configuration"] == {"minimum_instance_metadata_service_version": "2"}
    assert notebook["root_access"] == "Disabled"
    assert notebook["kms_key_id"].startswith("${aws_kms_key.")


def test_the_platform_is_left_to_aws(stack: Synthesized) -> None:
    assert "platform_identifier" not in instance(stack)


def test_it_stops_when_idle() -> None:
    assert "IDLE_SECONDS = 1800" in on_start(synth(notebook=Notebook(idle_timeout_in_minutes=30)))


def test_the_script_with_the_longest_names_fits_the_limit(stack: Synthesized) -> None:
    # https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_NotebookInstanceLifecycleHook.html
    longest = on_start(stack, region="ap-southeast-3", bucket="b" * 63) + "p" * 200
    assert len(base64.b64encode(longest.encode())) < 16_384


def test_nothing_is_left_to_fill_in(stack: Synthesized) -> None:
    script = on_start(stack)
    assert "${" not in script
    assert "@" not in script.replace(chr(34) + "$@" + chr(34), "")


def test_the_script_has_no_backslash_which_cdktf_would_not_escape() -> None:
    assert "\\" not in SCRIPT.read_text()


def test_nothing_is_fetched_from_elsewhere(stack: Synthesized) -> None:
    script = on_start(stack)
    for word in ("pip", "conda", "curl", "wget", "yum", "dnf"):
        assert f"{word} " not in script
    assert "http" not in script.replace("https://localhost:8443", "")


def test_in_a_subnet_it_has_no_direct_internet() -> None:
    notebook = instance(synth(notebook=Notebook(subnet_id="subnet-1", security_group_ids=["sg-1"])))
    assert notebook["direct_internet_access"] == "Disabled"
    assert notebook["security_groups"] == ["sg-1"]


def test_without_a_subnet_it_has(stack: Synthesized) -> None:
    assert instance(stack)["direct_internet_access"] == "Enabled"


def test_none_leaves_it_out() -> None:
    stack = synth(notebook=None)
    assert stack.all("aws_sagemaker_notebook_instance") == {}
    assert stack.pipeline.notebook is None


def test_the_notebooks_are_in_the_artifact_bucket_under_their_own_digest(stack: Synthesized) -> None:
    digest = archive("notebooks", notebook_files(None)).sha256
    (uploaded,) = [one for one in stack.all("aws_s3_object").values() if one["key"].startswith("notebooks/")]
    assert uploaded["key"] == f"notebooks/{stack.pipeline.name}/{digest}.zip"
    assert uploaded["source_hash"] == digest
    assert f'digest != "{digest}"' in on_start(stack)
    assert any("notebook_files" in other for other in instance(stack)["depends_on"])


def test_the_client_beside_the_notebooks_needs_nothing_installed(tmp_path: Path) -> None:
    with zipfile.ZipFile(archive("notebooks", notebook_files(None)).path) as bundle:
        bundle.extractall(tmp_path)
    program = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import mlops_constructs.deployed as client; print(client)"
    )
    done = subprocess.run([sys.executable, "-I", "-S", "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert str(tmp_path / "mlops_constructs" / "deployed") in done.stdout


def test_a_teams_own_folder_takes_their_place(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "own.ipynb").write_text("{}")
    with zipfile.ZipFile(archive("notebooks", dict(folder_files(tmp_path))).path) as bundle:
        assert bundle.namelist() == ["deep/own.ipynb"]
    digest = archive("notebooks", dict(folder_files(tmp_path))).sha256
    stack = synth(notebook=Notebook(directory=tmp_path))
    assert f"notebooks/{stack.pipeline.name}/{digest}.zip" in on_start(stack)


def test_the_algorithms_own_repository_is_attached_once_it_has_content(stack: Synthesized) -> None:
    notebook = instance(stack)
    url = notebook["default_code_repository"]
    assert url.startswith("https://git-codecommit.${data.aws_region.")
    assert url.endswith(f".amazonaws.com/v1/repos/{stack.pipeline.name}")
    assert any("image_delivery_pipeline" in other for other in notebook["depends_on"])
    (pull,), (push,) = granted(stack)["codecommit:GitPull"], granted(stack)["codecommit:GitPush"]
    assert pull == push
    assert pull.endswith(f":{stack.pipeline.name}")


def test_a_repository_that_is_there_already_is_attached_too() -> None:
    stack = synth(algorithm=Algorithm.from_codecommit("churn-model"))
    assert instance(stack)["default_code_repository"].endswith(".amazonaws.com/v1/repos/churn-model")
    (arn,) = granted(stack)["codecommit:GitPush"]
    assert arn.endswith(":churn-model")


def test_an_image_from_elsewhere_attaches_nothing() -> None:
    stack = synth(
        algorithm=Algorithm.from_image("111122223333.dkr.ecr.us-east-1.amazonaws.com/image@sha256:" + "0" * 64)
    )
    assert "default_code_repository" not in instance(stack)
    assert not [action for action in granted(stack) if action.startswith("codecommit:")]


def test_no_repository_is_attached_when_none_is_wanted() -> None:
    stack = synth(notebook=Notebook(repository=None))
    assert "default_code_repository" not in instance(stack)
    assert not [action for action in granted(stack) if action.startswith("codecommit:")]


def test_a_public_repository_is_attached_by_its_url() -> None:
    stack = synth(notebook=Notebook(repository=GITHUB))
    assert instance(stack)["default_code_repository"] == GITHUB
    assert not [action for action in granted(stack) if action.startswith(("codecommit:", "secretsmanager:"))]


def test_another_codecommit_repository_is_attached_with_rights_on_it_alone() -> None:
    url = "https://git-codecommit.eu-west-1.amazonaws.com/v1/repos/churn-notebooks"
    stack = synth(notebook=Notebook(repository=url))
    (arn,) = granted(stack)["codecommit:GitPull"]
    assert arn.endswith(":churn-notebooks")
    assert ":codecommit:eu-west-1:" in arn


def test_a_private_repository_is_attached_with_its_secret() -> None:
    stack = synth(notebook=Notebook(repository=GITHUB, repository_secret_arn=SECRET))
    repository = stack.one("aws_sagemaker_code_repository")
    assert repository["git_config"] == {"repository_url": GITHUB, "secret_arn": SECRET}
    assert instance(stack)["default_code_repository"].startswith("${aws_sagemaker_code_repository.")
    assert granted(stack)["secretsmanager:GetSecretValue"] == [SECRET]


def test_the_role_asks_dev_and_nothing_else(stack: Synthesized) -> None:
    rights = granted(stack)
    (endpoint,) = rights["sagemaker:InvokeEndpoint"]
    assert endpoint.endswith(f":endpoint/{stack.pipeline.dev_endpoint}")
    assert stack.pipeline.production_endpoint not in json.dumps(stack.policy("notebook"))


@pytest.mark.parametrize(
    "action",
    [
        "codepipeline:PutApprovalResult",
        "codepipeline:StartPipelineExecution",
        "iam:PassRole",
        "sagemaker:UpdateModelPackage",
        "sagemaker:CreateTrainingJob",
        "sagemaker:UpdateEndpoint",
        "s3:DeleteObject",
    ],
)
def test_the_role_may_not_decide_deploy_or_delete(stack: Synthesized, action: str) -> None:
    assert action not in granted(stack)


def test_the_role_writes_only_where_data_sets_land(stack: Synthesized) -> None:
    assert {arn.rpartition("}")[2] for arn in granted(stack)["s3:PutObject"]} == {"/datasets/*", "/data/*"}


def test_the_role_reads_the_artifact_bucket_only_for_its_notebooks(stack: Synthesized) -> None:
    from_artifacts = [arn for arn in granted(stack)["s3:GetObject"] if "data_bucket" not in arn]
    assert [arn.partition("/")[2].partition("/")[0] for arn in from_artifacts] == ["notebooks"]


def test_with_ab_tests_the_role_reads_their_record_and_reports_too() -> None:
    production = Endpoint.for_production(data_capture=DataCapture(sampling_percentage=100))
    stack = synth(production=production, ab_test=ABTest())
    folder = f"ab/{stack.pipeline.name}/*"
    statements = [one for one in stack.policy("notebook") if folder in json.dumps(one)]
    assert [one["Action"] for one in statements] == ["s3:ListBucket", "s3:GetObject"]
    listed, read = statements
    assert listed["Condition"] == {"StringLike": {"s3:prefix": folder}}
    assert read["Resource"].endswith(f"}}/{folder}")


def test_without_ab_tests_the_role_does_not_read_them(stack: Synthesized) -> None:
    assert "ab/" not in json.dumps(stack.policy("notebook"))


def test_the_role_writes_only_its_own_log_streams(stack: Synthesized) -> None:
    (arn,) = granted(stack)["logs:PutLogEvents"]
    assert arn.endswith(f":log-group:/aws/sagemaker/NotebookInstances:log-stream:{stack.pipeline.name}/*")


def test_a_role_that_is_handed_in_gets_the_repository_too() -> None:
    stack = synth(existing=Existing(roles={"notebook": "arn:aws:iam::111122223333:role/explorer"}))
    assert "codecommit:GitPull" in stack.pipeline.required_roles["notebook"].policy


def test_the_prefix_reaches_the_notebooks() -> None:
    assert "MLOPS_DATA_PREFIX=churn/\n" in on_start(synth(dataset=Dataset(prefix="churn/")))


def test_the_addresses_of_two_notebooks_differ() -> None:
    stack = new_stack()
    for id_ in ("one", "two"):
        MLOpsPipeline(stack, id_, algorithm=Algorithm.from_directory(CONTAINER), dataset=Dataset())
    notebooks = document_of(stack)["resource"]["aws_sagemaker_notebook_instance"].values()
    assert len({notebook["name"] for notebook in notebooks}) == 2


@pytest.mark.parametrize("path", sorted(NOTEBOOKS.glob("*.ipynb")), ids=lambda path: path.stem)
def test_a_notebook_is_stored_without_outputs(path: Path) -> None:
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] == "code":
            assert cell["outputs"] == []
            assert cell["execution_count"] is None
