"""What a person gets who starts a rehearsal that cannot run: one clear message, exit code 1, nothing left."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from leftovers import nothing_left

ROOT = Path(__file__).resolve().parents[2]
MLOPS = [sys.executable, "-m", "mlops_constructs"]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A fresh project, as `mlops init` makes it."""
    folder = tmp_path / "project"
    subprocess.run([*MLOPS, "init", str(folder)], check=True, capture_output=True)
    return folder


def refused(project: Path, *arguments: str, **environment: str) -> str:
    """Run a rehearsal that must fail; give its message."""
    scratch = project.parent / "scratch"
    scratch.mkdir(exist_ok=True)
    done = subprocess.run(
        [*MLOPS, "rehearse", *arguments],
        cwd=project,
        env={**os.environ, "TMPDIR": str(scratch), **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.startswith("mlops rehearse: ")
    assert nothing_left(scratch)
    return done.stderr


def test_a_cache_that_cannot_be_written_to(project: Path) -> None:
    message = refused(project, "--approve", XDG_CACHE_HOME="/proc/cache")
    assert message == (
        "mlops rehearse: cannot write to /proc/cache/local-aws: set XDG_CACHE_HOME to a folder that you can write to\n"
    )


def test_no_terraform_on_path(project: Path, tmp_path: Path) -> None:
    message = refused(project, "--approve", PATH=str(tmp_path))
    assert "no terraform (or tofu) on PATH: install Terraform" in message


@pytest.mark.terraform
def test_no_provider_to_be_had(project: Path) -> None:
    app = "from pathlib import Path; import json, os; " + (
        "folder = Path(os.environ['CDKTF_OUTDIR']) / 'stacks' / 's'; folder.mkdir(parents=True); "
        "(folder / 'cdk.tf.json').write_text(json.dumps({'terraform': {'required_providers': "
        "{'aws': {'source': 'aws', 'version': '5.100.999'}}}}))"
    )
    message = refused(project, "--approve", "--app", f'{sys.executable} -c "{app}"')
    assert "found no AWS provider 5.100.999" in message
    assert "TF_PLUGIN_CACHE_DIR" in message


def test_a_busy_port(project: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        message = refused(project, "--approve", "--port", str(port))
    assert str(port) in message
    assert "another program uses this port" in message


def test_a_port_that_is_none(project: Path) -> None:
    assert "--port must be 0 to 65535" in refused(project, "--approve", "--port", "70000")


def test_a_container_without_a_dockerfile(project: Path) -> None:
    (project / "container" / "Dockerfile").unlink()
    message = refused(project, "--approve")
    assert "algorithm.directory: must contain a file 'Dockerfile'" in message


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--image", "sagemaker-xgboost:1.7-1=container"], "is not an image in ECR"),
        (["--image", "container"], "--image container: must be URI=FOLDER"),
        (["--repository", "team/algorithm=nowhere"], "no such folder: nowhere"),
        (["--repository", "algorithm=container"], "--repository algorithm: must be the full name"),
    ],
)
def test_a_stand_in_that_is_none(project: Path, arguments: list[str], reason: str) -> None:
    assert reason in refused(project, "--approve", *arguments)


def test_nobody_there_to_answer_the_approval(project: Path) -> None:
    assert "give --approve or --reject" in refused(project)


def test_a_folder_that_is_no_project(tmp_path: Path) -> None:
    folder = tmp_path / "empty"
    folder.mkdir()
    assert "run `mlops init`" in refused(folder, "--approve")


def test_a_cdktf_json_without_app(project: Path) -> None:
    (project / "cdktf.json").write_text("{}")
    assert "must be JSON with the field 'app'" in refused(project, "--approve")


def test_a_program_that_fails(project: Path) -> None:
    (project / "main.py").write_text("raise SystemExit('no luck')\n")
    message = refused(project, "--approve")
    assert "`python main.py` failed with exit code 1" in message
    assert "no luck" in message


def test_a_program_without_a_stack(project: Path) -> None:
    (project / "main.py").write_text("")
    assert "synthesized no stack" in refused(project, "--approve")


def test_two_stacks_and_no_choice(project: Path) -> None:
    source = (project / "main.py").read_text()
    (project / "main.py").write_text(source.replace('(app, "project")', '(app, "one")\nProjectPipeline(app, "two")'))
    assert "give --stack, one of: one, two" in refused(project, "--approve")


def test_no_such_data_folder(project: Path) -> None:
    assert "nothing does not exist" in refused(project, "--approve", "--data", "nothing")


def test_a_data_folder_without_train(project: Path) -> None:
    (project / "data").mkdir()
    (project / "data" / "other.csv").write_text("a,1\n")
    assert "there is no channel train, only " in refused(project, "--approve", "--data", "data")


@pytest.mark.terraform
def test_a_broken_line_of_terraform_is_named(project: Path) -> None:
    stack = project / "stack"
    stack.mkdir()
    document = {
        "terraform": {"required_providers": {"aws": {"source": "aws", "version": "5.100.0"}}},
        "provider": {"aws": [{"region": "us-east-1"}]},
        "resource": {"aws_s3_bucket": {"b": {"no_such_argument": 1}}},
    }
    (stack / "cdk.tf.json").write_text(json.dumps(document))
    program = "import os, shutil\nshutil.copytree('stack', os.path.join(os.environ['CDKTF_OUTDIR'], 'stacks', 's'))\n"
    (project / "main.py").write_text(program)
    message = refused(project, "--approve")
    assert "terraform validate failed" in message
    assert "Extraneous JSON object property" in message
    assert "no_such_argument" in message
    assert "format_version" not in message


def test_without_the_extra_it_says_what_to_install(project: Path, tmp_path: Path) -> None:
    blocked = tmp_path / "blocked"
    blocked.mkdir()
    (blocked / "sitecustomize.py").write_text("import sys\nsys.modules['moto'] = None\n")
    shutil.copy(blocked / "sitecustomize.py", blocked / "usercustomize.py")
    message = refused(project, "--approve", PYTHONPATH=str(blocked))
    assert "pip install 'mlops-constructs[rehearsal]'" in message


@pytest.mark.parametrize("arguments", [["--approve", "--reject"], ["--no-such-option"]])
def test_wrong_arguments_are_a_usage_error(project: Path, arguments: list[str]) -> None:
    done = subprocess.run([*MLOPS, "rehearse", *arguments], cwd=project, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "usage: mlops" in done.stderr


def test_a_pipeline_that_the_stack_has_not_is_told_before_anything_is_applied(project: Path) -> None:
    message = refused(project, "--approve", "--pipeline", "churn")
    assert "the stack has no pipeline 'churn'; it has: project-" in message
