"""The pipeline of one run: its executions, and the commands of people."""

from __future__ import annotations

import json
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any

from abort_ab_test.abort import abort
from botocore.exceptions import BotoCoreError, ClientError

from ab_soak.account import ARTIFACTS, DATA, OTHER_TYPE
from ab_soak.calls import Killed, Process
from ab_soak.execution import FAILED, IN_PROGRESS, NONE, STOPPED, Execution, Stage
from handler_kit.errors import StepError
from mlops_constructs.deployed.ab_test import ABTests
from mlops_constructs.deployed.pipeline import DeployedPipeline
from mlops_constructs.errors import MlopsError

if TYPE_CHECKING:
    from collections.abc import Callable

    from ab_soak.account import Account, Model
    from ab_soak.calls import Fault
    from handler_kit.ab_record import Test

_TURN_SECONDS, _LONG_SECONDS = 2.0, 60.0
FLEETS = {
    "": {},
    "retyped": {"InstanceType": OTHER_TYPE},
    "fixed": {"Autoscales": "false"},
    "wider": {"MinCapacity": "1", "MaxCapacity": "5"},
}


@dataclass(frozen=True)
class Outcome:
    """What became of a step.

    Attributes:
        done: Whether it did what it was to do.
        said: Why not.
        killed: Whether its process was killed.
    """

    done: bool
    said: str = ""
    killed: bool = False


class Pipeline:
    """It.

    Attributes:
        account: Where it is.
        stage: Its stage.
        executions: All executions, the oldest first.
        deployed: It, as the commands read it.
        tests: The commands.
    """

    def __init__(self, account: Account, name: str) -> None:
        """Deploy it."""
        self.account, self.stage = account, Stage(account, name)
        self.name, self.production = name, self.stage.production
        self.executions: list[Execution] = []
        account.calls.answers = {
            "GetPipelineExecution": self._get_execution,
            "GetPipelineState": lambda _: {"stageStates": []},
            "StartPipelineExecution": self._start_execution,
            "Invoke": lambda _: {"Payload": BytesIO(b'{"test": null, "sentence": "nothing is known"}')},
        }
        self.deployed = DeployedPipeline(account.client, _definition(name, self.production))
        self.tests = ABTests(self.deployed, pause=self._pause)

    def next_model(self) -> Model:
        """Return a model that has not been released in this run."""
        models = self.account.models
        return models[len(self.executions) % len(models)]

    def start(self, model: Model, fleet: dict[str, str], release: str = NONE, ab_test: str = NONE) -> Execution:
        """Start an execution."""
        execution = Execution(model, fleet, release, ab_test)
        self.executions.append(execution)
        return execution

    def drive(self, execution: Execution, process: Process) -> Outcome:
        """Let an execution go on; another one that is still in the stage is stopped before."""
        for other in self.executions:
            if other is not execution and other.status == IN_PROGRESS and other.done:
                other.status = STOPPED
        execution.status = IN_PROGRESS
        try:
            with self.account.calls.process(process):
                self.stage.run(execution)
        except Killed:
            return Outcome(done=False, killed=True)
        return Outcome(execution.status != FAILED, execution.reason)

    def command(self, run: Callable[[], object], process: Process) -> Outcome:
        """Run a command of a person, or the guard's function."""
        try:
            with self.account.calls.process(process):
                run()
        except Killed:
            return Outcome(done=False, killed=True)
        except (MlopsError, StepError, ClientError, BotoCoreError) as error:
            return Outcome(done=False, said=str(error))
        return Outcome(done=True)

    def guard(self) -> dict[str, Any]:
        """Run the function that takes the challenger's traffic away."""
        production, clock = self.stage.production_of(), self.account.clock
        store, sagemaker = production.store, production.sagemaker
        with self.account.calls.process(None):
            self._judge(store.read()[0].test)
        return abort(store, sagemaker, self.production, now=clock.time(), sleep=clock.sleep)

    def process(self, fault: Fault | None = None) -> Process:
        """Make a process."""
        return Process(fault)

    def _judge(self, test: Test | None) -> None:
        """Report that the test is to be aborted."""
        if test is not None:
            key, body = f"ab/{self.name}/tests/{test.id}/report.json", {"test": test.id, "action": "abort"}
            self.account.client("s3").put_object(Bucket=ARTIFACTS, Key=key, Body=json.dumps(body).encode())

    def _pause(self, seconds: float) -> None:
        """Wait; for somebody else's turn, long in the time of the code."""
        self.account.clock.sleep(_LONG_SECONDS if seconds >= _TURN_SECONDS else seconds)

    def _get_execution(self, request: dict[str, Any]) -> dict[str, Any]:
        for one in self.executions:
            if one.id == request["pipelineExecutionId"]:
                return {"pipelineExecution": {"pipelineExecutionId": one.id, "status": one.status}}
        return {"Error": {"Code": "PipelineExecutionNotFoundException", "Message": "there is none"}}

    def _start_execution(self, request: dict[str, Any]) -> dict[str, Any]:
        given = {one["name"]: one["value"] for one in request["variables"]}
        package = self.stage.releases()[int(given["Release"]) - 1]["model_package_arn"]
        before = next(one for one in self.executions if one.model.package == package)
        started = self.start(before.model, before.fleet, given["Release"], given.get("ABTest", NONE))
        return {"pipelineExecutionId": started.id}


def _definition(name: str, production: str) -> dict[str, Any]:
    """Return the parts of a definition that commands read."""
    source = {
        "S3Bucket": DATA,
        "S3ObjectKey": "data.csv",
        "AllowOverrideForS3ObjectKey": "true",
    }
    actions: list[dict[str, Any]] = [
        {"name": "Dataset", "configuration": source},
        {"name": "ExecuteChangeSet", "configuration": {"StackName": production}},
    ]
    return {
        "name": name,
        "artifactStore": {"type": "S3", "location": ARTIFACTS},
        "variables": [{"name": one, "defaultValue": NONE} for one in ("Release", "ABTest")],
        "stages": [{"name": "All", "actions": actions}],
    }


def record_bytes(account: Account, pipeline: str) -> bytes:
    """Return the record as it is stored; empty when there is none."""
    s3 = account.client("s3")
    try:
        body: bytes = s3.get_object(Bucket=ARTIFACTS, Key=f"ab/{pipeline}/record.json")["Body"].read()
    except s3.exceptions.NoSuchKey:
        return b""
    json.loads(body)
    return body
