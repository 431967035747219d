"""mlops adopt, against the local AWS as against AWS."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from preflight.synthesized_stacks import real

from mlops_constructs.local_aws.credentials import ACCESS_KEY_ID, SECRET_ACCESS_KEY
from mlops_constructs.local_aws.local_aws import LocalAws

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def aws() -> Iterator[LocalAws]:
    with LocalAws() as aws:
        yield aws


@pytest.fixture(scope="module")
def queue(aws: LocalAws) -> tuple[str, str]:
    """A queue that the stack would make, and nothing else of it exists: its address and URL."""
    (queue,) = real().of_type("aws_sqs_queue")
    url: str = aws.client("sqs").create_queue(QueueName=queue.arguments["name"])["QueueUrl"]
    return queue.address, url


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """The state of an apply that was killed before it had written one."""
    file = tmp_path / "state.json"
    file.write_text(json.dumps({"resources": []}))
    return file


def adopt(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    app = f"sh -c 'cp -r {real().folder.parents[1]}/. $CDKTF_OUTDIR'"
    keys = {"AWS_ACCESS_KEY_ID": ACCESS_KEY_ID, "AWS_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY}
    return subprocess.run(
        [sys.executable, "-m", "mlops_constructs", "adopt", "--app", app, *arguments],
        cwd=ROOT,
        env={**os.environ, **keys, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_it_writes_import_blocks_and_says_what_to_do_with_them(
    aws: LocalAws, queue: tuple[str, str], state: Path, tmp_path: Path
) -> None:
    output = tmp_path / "adopt.tf.json"
    done = adopt("--state", state, "--output", output, AWS_ENDPOINT_URL=aws.url)
    assert done.returncode == 0, done.stderr
    assert json.loads(output.read_text()) == {"import": [{"to": queue[0], "id": queue[1]}]}
    assert done.stderr == (
        f"1 thing exists that is not in {state}\n"
        f"Their import blocks are in {output}. Next:\n"
        f"  terraform -chdir={tmp_path} init\n"
        f"  terraform -chdir={tmp_path} apply    # its plan must destroy nothing\n"
        f"  rm {output}\n"
    )


def test_without_a_file_it_prints_them(aws: LocalAws, queue: tuple[str, str], state: Path) -> None:
    done = adopt("--state", state, AWS_ENDPOINT_URL=aws.url)
    assert json.loads(done.stdout)["import"] == [{"to": queue[0], "id": queue[1]}]


def test_it_says_that_nothing_is_left(aws: LocalAws, queue: tuple[str, str], state: Path) -> None:
    type_, _, name = queue[0].partition(".")
    managed = {"mode": "managed", "type": type_, "name": name, "instances": [{"attributes": {"id": queue[1]}}]}
    state.write_text(json.dumps({"resources": [managed]}))
    done = adopt("--state", state, AWS_ENDPOINT_URL=aws.url)
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == f"nothing of the stack exists that is not in {state}\n"


def test_a_file_that_terraform_would_not_read_is_refused(state: Path) -> None:
    done = adopt("--state", state, "--output", "adopt.json")
    assert done.returncode == 1
    assert "--output must end in .tf.json, or Terraform does not read it; got adopt.json" in done.stderr


def test_an_aws_that_does_not_answer_is_told(state: Path) -> None:
    done = adopt("--state", state, AWS_ENDPOINT_URL="http://127.0.0.1:1", AWS_MAX_ATTEMPTS="1")
    assert done.returncode == 1
    assert "mlops adopt: credentials: AWS cannot be reached" in done.stderr
