"""mlops preflight, against the local AWS as against AWS."""

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
def app() -> str:
    """A command that gives main.py's stack, synthesized once."""
    return f"sh -c 'cp -r {real().folder.parents[1]}/. $CDKTF_OUTDIR'"


def preflight(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    keys = {"AWS_ACCESS_KEY_ID": ACCESS_KEY_ID, "AWS_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY}
    return subprocess.run(
        [sys.executable, "-m", "mlops_constructs", "preflight", *arguments],
        cwd=ROOT,
        env={**os.environ, **keys, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_an_empty_local_aws_is_ready(aws: LocalAws, app: str) -> None:
    done = preflight("--json", "--app", app, AWS_ENDPOINT_URL=aws.url)
    findings = {finding["thing"]: finding for finding in json.loads(done.stdout)}
    assert done.returncode == 0, done.stdout
    assert {findings[thing]["state"] for thing in ("credentials", "names", "permissions")} == {"good"}
    assert findings["quota ml.m5.xlarge for training job usage"]["state"] == "good"
    assert "ml.m5.xlarge" in findings["price training job"]["detail"]


def test_a_name_that_is_taken_fails_it_with_a_remedy(aws: LocalAws, app: str) -> None:
    (queue,), sqs = real().of_type("aws_sqs_queue"), aws.client("sqs")
    name = queue.arguments["name"]
    made = sqs.create_queue(QueueName=name)
    try:
        done = preflight("--app", app, AWS_ENDPOINT_URL=aws.url)
    finally:
        sqs.delete_queue(QueueUrl=made["QueueUrl"])
    assert done.returncode == 1
    assert f"broken    name {name}: aws_sqs_queue with this name exists (this account)" in done.stdout
    assert "let `mlops adopt` import it to aws_sqs_queue." in done.stdout


def test_a_quota_of_a_new_account_fails_it(aws: LocalAws, app: str) -> None:
    aws.service_quotas.set("ml.m5.large for endpoint usage", 2)
    try:
        done = preflight("--json", "--app", app, AWS_ENDPOINT_URL=aws.url)
    finally:
        aws.service_quotas.set("ml.m5.large for endpoint usage", 20)
    broken = [finding for finding in json.loads(done.stdout) if finding["state"] == "broken"]
    assert (done.returncode, [one["thing"] for one in broken]) == (1, ["quota ml.m5.large for endpoint usage"])
    assert "aws service-quotas request-service-quota-increase" in broken[0]["remedy"]


def test_a_pipeline_that_is_not_there_is_refused(aws: LocalAws, app: str) -> None:
    done = preflight("--pipeline", "wine", "--app", app, AWS_ENDPOINT_URL=aws.url)
    assert done.returncode == 1
    assert "mlops preflight: the stack has no pipeline 'wine'; it has: iris-" in done.stderr


def test_an_aws_that_does_not_answer_is_broken(app: str) -> None:
    done = preflight("--json", "--app", app, AWS_ENDPOINT_URL="http://127.0.0.1:1", AWS_MAX_ATTEMPTS="1")
    assert done.returncode == 1
    assert [finding["thing"] for finding in json.loads(done.stdout)] == ["region", "credentials"]


def test_a_profile_that_is_not_there_is_told() -> None:
    done = preflight("--live", "--yes", AWS_PROFILE="nobody")
    assert done.returncode == 1
    assert "The config profile (nobody) could not be found" in done.stderr


def test_nothing_is_made_without_a_yes() -> None:
    done = preflight("--live", AWS_ENDPOINT_URL="http://127.0.0.1:1")
    assert (done.returncode, done.stdout) == (2, "")
    assert "To run it, add --yes" in done.stderr
