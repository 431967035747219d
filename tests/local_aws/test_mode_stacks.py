"""The real templates of serverless and asynchronous endpoints: created, tested, updated, asleep and awake again."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest
from container_image import DOCKERFILE
from local_aws.tiny_container import local_aws, make_role, push_container, upload_model, wait_until
from smoke_test.settings import Params, Settings
from smoke_test.smoke import SmokeTest

from handler_kit.errors import StepError
from handler_kit.report import Success
from mlops_constructs import Autoscaling, Endpoint, Rollout
from mlops_constructs.deployed.endpoints import predict
from mlops_constructs.errors import MlopsError
from mlops_constructs.stages.deployment.parameters import fixed_parameters
from mlops_constructs.stages.deployment.template import endpoint_template

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_constructs.local_aws.local_aws import LocalAws

BUCKET = "release-artifacts"
GOLDEN = f"s3://{BUCKET}/golden.csv"
SERVE = """#!/usr/bin/env python3
import json, os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

model = json.loads((Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml")) / "model/model.json").read_text())


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.reply(200, b"")

    def do_POST(self):
        lines = self.rfile.read(int(self.headers["Content-Length"])).decode().split()
        if "broken" in lines:
            return self.reply(500, b"no such feature")
        self.reply(200, "".join(model["answer"] + chr(10) for _ in lines).encode())

    def reply(self, status, body):
        self.send_response(status)
        self.send_header("Content-Type", "text/csv")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


port = int(os.environ.get("SAGEMAKER_BIND_TO_PORT", "8080"))
ThreadingHTTPServer((os.environ.get("SAGEMAKER_BIND_TO_HOST", "0.0.0.0"), port), Handler).serve_forever()
"""
QUEUED = Endpoint.asynchronous(
    autoscaling=Autoscaling.on_backlog(max_capacity=2, scale_in_cooldown_seconds=0, scale_out_cooldown_seconds=0),
    rollout=Rollout.all_at_once(wait_interval_in_seconds=0),
)


class Stacks:
    """Deploys our templates, as the pipeline's CloudFormation actions do."""

    def __init__(self, aws: LocalAws, image: str) -> None:
        self.aws, self.image = aws, image
        self._cloudformation = aws.client("cloudformation")
        self._model_role = make_role(aws, "serving", "sagemaker.amazonaws.com")
        self._deploy_role = make_role(aws, "deploying", "cloudformation.amazonaws.com")
        self.key = aws.client("kms").create_key()["KeyMetadata"]["Arn"]

    def deploy(self, name: str, config: Endpoint, answer: str, *, update: bool = False) -> str:
        """Create or update a stack with a model that always gives this answer; return its model data."""
        data = upload_model(self.aws, BUCKET, f"{name}/{answer}/model.tar.gz", answer)
        values = {
            **{parameter: "x" for parameter in fixed_parameters(config)},
            "Image": self.image,
            "ModelDataUrl": data,
            "ExecutionRoleArn": self._model_role,
            "EndpointName": name,
            "KmsKeyArn": self.key,
            "AsyncInferenceUri": f"s3://{BUCKET}/async/{name}",
        }
        wanted = endpoint_template(config)["Parameters"]
        request = {
            "StackName": name,
            "TemplateBody": json.dumps(endpoint_template(config)),
            "Parameters": [
                {"ParameterKey": key, "ParameterValue": value} for key, value in values.items() if key in wanted
            ],
            "RoleARN": self._deploy_role,
        }
        getattr(self._cloudformation, "update_stack" if update else "create_stack")(**request)
        done = "UPDATE_COMPLETE" if update else "CREATE_COMPLETE"
        wait_until(lambda: not self.status(name).endswith("_IN_PROGRESS"))
        assert self.status(name) == done, self.failures(name)
        return data

    def status(self, name: str) -> str:
        return str(self._cloudformation.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"])

    def failures(self, name: str) -> list[str]:
        events = self._cloudformation.describe_stack_events(StackName=name)["StackEvents"]
        return [one["ResourceStatusReason"] for one in events if "FAILED" in one["ResourceStatus"]]

    def smoke_test(self, name: str, data: str, golden: bytes) -> Success:
        """Run the function's own code."""
        self.aws.client("s3").put_object(Bucket=BUCKET, Key="golden.csv", Body=golden)
        limits: dict[str, Any] = dict.fromkeys(Settings.__dataclass_fields__)
        settings = Settings(**{**limits, "min_accuracy": 0.9, "max_latency_ms": 60_000, "accept": "text/csv"})
        params = Params(endpoint=name, golden_uri=GOLDEN, image=self.image, model_data_url=data)
        clients = [self.aws.client(service) for service in ("sagemaker", "sagemaker-runtime", "s3")]
        test, token = SmokeTest(params, settings, *clients), None
        while True:
            outcome = test.run(token, now=int(time.time()))
            if isinstance(outcome, Success):
                return outcome
            token = outcome.token.encode()

    def settle(self, name: str, config: Endpoint) -> None:
        """Wait until nothing scales: SageMaker refuses an update meanwhile."""
        if config.mode == "asynchronous":
            wait_until(lambda: self.count(name) == 0)
        describe = self.aws.client("sagemaker").describe_endpoint
        wait_until(lambda: describe(EndpointName=name)["EndpointStatus"] == "InService")

    def delete(self, name: str) -> None:
        self._cloudformation.delete_stack(StackName=name)

    def count(self, name: str) -> int:
        (shown,) = self.aws.client("sagemaker").describe_endpoint(EndpointName=name)["ProductionVariants"]
        return int(shown["CurrentInstanceCount"])

    def predicted(self, name: str, *rows: str) -> list[str]:
        return predict(self.aws.client, name, [[row] for row in rows])


@pytest.fixture(scope="module")
def stacks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stacks]:
    folder = tmp_path_factory.mktemp("container")
    (folder / "Dockerfile").write_text(DOCKERFILE)
    for name in ("train", "serve"):
        (folder / name).write_text(SERVE)
        (folder / name).chmod(0o755)
    with local_aws() as aws:
        aws.client("s3").create_bucket(Bucket=BUCKET)
        aws.sagemaker.async_invocations.scaling.minute_seconds = 0.2
        yield Stacks(aws, push_container(aws, folder))


@pytest.mark.parametrize("config", [Endpoint.serverless(), QUEUED], ids=["serverless", "asynchronous"])
def test_a_release_is_deployed_tested_and_replaced(stacks: Stacks, config: Endpoint) -> None:
    name = f"released-{config.mode}"
    old = stacks.deploy(name, config, "one")
    assert stacks.smoke_test(name, old, b"one,1\none,2\n").outputs["Accuracy"] == "1"
    assert stacks.predicted(name, "1", "2") == ["one", "one"]

    stacks.settle(name, config)
    new = stacks.deploy(name, config, "two", update=True)

    assert stacks.smoke_test(name, new, b"two,1\n").outputs["Accuracy"] == "1"
    assert stacks.predicted(name, "1") == ["two"]
    with pytest.raises(StepError, match="does not run the requested model"):
        stacks.smoke_test(name, old, b"one,1\n")


@pytest.mark.parametrize("config", [Endpoint.serverless(), QUEUED], ids=["serverless", "asynchronous"])
def test_wrong_answers_and_errors_of_the_model_fail_the_smoke_test(stacks: Stacks, config: Endpoint) -> None:
    name = f"tested-{config.mode}"
    data = stacks.deploy(name, config, "one")
    with pytest.raises(StepError, match="1 of 2 golden records right"):
        stacks.smoke_test(name, data, b"one,1\ntwo,2\n")
    with pytest.raises(StepError, match="no such feature"):
        stacks.smoke_test(name, data, b"one,broken\n")
    with pytest.raises(MlopsError, match="no such feature"):
        stacks.predicted(name, "broken")


def test_the_templates_policies_take_an_endpoint_to_zero_and_wake_it(stacks: Stacks) -> None:
    name = "sleeping"
    data = stacks.deploy(name, QUEUED, "one")
    wait_until(lambda: stacks.count(name) == 0)

    assert stacks.predicted(name, "1") == ["one"]

    stacks.settle(name, QUEUED)
    new = stacks.deploy(name, QUEUED, "two", update=True)
    assert data != new
    assert stacks.smoke_test(name, new, b"two,1\n").outputs["Accuracy"] == "1"


def test_a_stack_that_would_change_the_mode_keeps_the_old_one(stacks: Stacks) -> None:
    name = "changed"
    stacks.deploy(name, Endpoint.serverless(), "one")
    with pytest.raises(AssertionError, match="The endpoint is serverless; an update cannot make it asynchronous"):
        stacks.deploy(name, QUEUED, "two", update=True)
    assert stacks.predicted(name, "1") == ["one"]


def test_a_deleted_stack_leaves_nothing(stacks: Stacks) -> None:
    name = "gone"
    stacks.deploy(name, QUEUED, "one")
    stacks.delete(name)
    scaling, alarms = stacks.aws.client("application-autoscaling"), stacks.aws.client("cloudwatch")
    wait_until(lambda: name not in str(stacks.aws.client("sagemaker").list_endpoints(NameContains=name)["Endpoints"]))
    wait_until(
        lambda: name not in str(scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"])
    )
    wait_until(lambda: f"{name}-" not in str([one["AlarmName"] for one in alarms.describe_alarms()["MetricAlarms"]]))
