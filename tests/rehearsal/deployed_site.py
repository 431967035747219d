"""An app, synthesized and deployed to the local AWS, what people do to it with boto3, and who approves."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
import time
import uuid
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from local_aws.tiny_pipeline import wait_for
from patience import PATIENCE_SECONDS

from mlops_constructs._payload import DOCUMENT
from mlops_constructs.local_aws.credentials import ACCESS_KEY_ID, SECRET_ACCESS_KEY
from mlops_constructs.rehearsal.choice import choose_pipeline
from mlops_constructs.rehearsal.follow import Follower
from mlops_constructs.rehearsal.rehearse import Rehearsal
from mlops_constructs.rehearsal.stand_ins import StandIns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mlops_constructs.deployed import DeployedPipeline, Execution
    from mlops_constructs.rehearsal.data import RehearsalData
    from mlops_constructs.rehearsal.progress import Update
    from mlops_constructs.rehearsal.terraform import Terraform

ROOT = Path(__file__).resolve().parents[2]


class Approver:
    """Watches in silence, keeps what it sees and is asked, and answers as told."""

    def __init__(self) -> None:
        self.answer = True
        self.evidence: list[str] = []
        self.updates: list[Update] = []

    def update(self, update: Update) -> None:
        self.updates.append(update)

    def log(self, line: str) -> None:
        pass

    def decide(self, evidence: str) -> bool:
        self.evidence.append(evidence)
        return self.answer


class Site:
    """A stack that `Rehearsal.deploy` has applied, a second plan without changes included."""

    def __init__(self, rehearsal: Rehearsal, deployed: DeployedPipeline, approver: Approver) -> None:
        self.rehearsal, self.deployed, self.approver = rehearsal, deployed, approver
        self.aws, self.client = rehearsal.aws, rehearsal.aws.client

    @property
    def pipeline(self) -> str:
        """Name of the ML pipeline that is rehearsed."""
        return self.deployed.name

    @property
    def image_pipeline(self) -> str:
        """Name of the pipeline that builds its image."""
        assert self.deployed.image_pipeline is not None
        return self.deployed.image_pipeline

    @property
    def terraform(self) -> Terraform:
        """Terraform in the folder of the stack."""
        assert self.rehearsal.terraform is not None
        return self.rehearsal.terraform

    @property
    def artifacts(self) -> str:
        """Name of the pipeline's artifact bucket."""
        return self.deployed.artifact_bucket

    @property
    def environment(self) -> dict[str, str]:
        """What `mlops rehearse --keep` prints: with it every program talks to this AWS."""
        return {
            "AWS_ENDPOINT_URL": self.aws.url,
            "AWS_DEFAULT_REGION": self.aws.region,
            "AWS_ACCESS_KEY_ID": ACCESS_KEY_ID,
            "AWS_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY,
        }

    def redeploy(self, stack: Path) -> None:
        """Apply the stack as its author has changed it."""
        self.terraform.prepare(stack)
        self.terraform.apply()

    def another(self, name: str) -> DeployedPipeline:
        """Give a pipeline of the stack by what its name starts with."""
        return choose_pipeline(self.client, name)

    def follower(self, pipeline: str | None = None) -> Follower:
        name = self.pipeline if pipeline is None else pipeline
        return Follower(self.client, name, self.approver, time.sleep)

    def known(self, pipeline: str | None = None) -> set[str]:
        """Give the executions there are."""
        return self.follower(pipeline).executions.ids()

    def follow_new(self, known: set[str], pipeline: str | None = None) -> Execution:
        """Follow the first execution that was not known to its end."""
        follower = self.follower(pipeline)
        return follower.follow(follower.wait_for_start(known, PATIENCE_SECONDS))

    def settle(self, pipeline: str | None = None) -> None:
        """Wait until nothing runs: CodePipeline starts one execution by itself, which finds no data set."""
        wait_for(lambda: all(one["status"] != "InProgress" for one in self.follower(pipeline).executions.newest()))

    def put(self, key: str, body: bytes) -> str:
        """Write an object of the data bucket; give its version."""
        answer = self.client("s3").put_object(Bucket=self.deployed.data_bucket, Key=key, Body=body)
        return str(answer["VersionId"])

    def upload(self, channels: dict[str, bytes], golden: bytes | None = None) -> str:
        """Put a data set into the bucket, manifest last; give the manifest's version."""
        folder = f"data/{uuid.uuid4().hex}"
        manifest: dict[str, Any] = {"channels": {}}
        for channel, body in channels.items():
            self.put(f"{folder}/{channel}.csv", body)
            manifest["channels"][channel] = [f"{folder}/{channel}.csv"]
        if golden is not None:
            self.put(f"{folder}/golden.csv", golden)
            manifest["golden"] = {"key": f"{folder}/golden.csv"}
        return self.put(f"{self.deployed.prefix}set.json", json.dumps(manifest).encode())

    def run(self, channels: dict[str, bytes], *, approve: bool = True, golden: bytes | None = None) -> Execution:
        """Upload, and follow the execution that it starts to its end."""
        self.approver.answer = approve
        known = self.known()
        self.upload(channels, golden)
        return self.follow_new(known)

    def stop(self, execution: str, pipeline: str | None = None) -> None:
        """Stop an execution at once, as a person does in the console."""
        name = self.pipeline if pipeline is None else pipeline
        self.client("codepipeline").stop_pipeline_execution(
            pipelineName=name, pipelineExecutionId=execution, abandon=True, reason="a test"
        )

    def change_document(self, function: str, change: Callable[[dict[str, Any]], object]) -> None:
        """Deploy a function with another document than the stack has; a change of nothing deploys the stack's again."""
        client = self.client("lambda")
        variables = client.get_function_configuration(FunctionName=function)["Environment"]["Variables"]
        place = {"Bucket": variables["ARTIFACT_BUCKET"], "Key": f"functions/{function}.zip"}
        deployed = self.client("s3").get_object(**place)["Body"].read()
        client.update_function_code(FunctionName=function, ZipFile=with_document(deployed, change))

    def package(self, outcome: Execution) -> dict[str, Any]:
        """Describe the model package that an execution registered."""
        arn = outcome.variable("Register", "ModelPackageArn")
        described: dict[str, Any] = self.client("sagemaker").describe_model_package(ModelPackageName=arn)
        return described

    def wait_for_rejection(self, outcome: Execution) -> str:
        """Give the reason on record; the event that brings it comes after the end of the execution."""
        wait_for(lambda: self.package(outcome)["ModelApprovalStatus"] == "Rejected")
        return str(self.package(outcome)["ApprovalDescription"])

    def failed_action(self, stage: str, action: str) -> str:
        """Give the failure message that GetPipelineState shows."""
        state = self.client("codepipeline").get_pipeline_state(name=self.pipeline)
        for stage_state in state["stageStates"]:
            for action_state in stage_state["actionStates"]:
                if (stage_state["stageName"], action_state["actionName"]) == (stage, action):
                    assert action_state["latestExecution"]["status"] == "Failed"
                    message: str = action_state["latestExecution"]["errorDetails"]["message"]
                    return message
        raise AssertionError(f"{stage} / {action} is not in the state")

    def image(self) -> str:
        """Give the image that the next training takes."""
        parameter = self.client("ssm").get_parameter(Name=f"/{self.pipeline}/image")["Parameter"]
        return str(parameter["Value"])

    def trainings(self) -> int:
        """Count the training jobs there have been."""
        return len(self.client("sagemaker").list_training_jobs()["TrainingJobSummaries"])

    def mlops(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the command as a person does."""
        command = [sys.executable, "-m", "mlops_constructs", *arguments]
        environment = {**os.environ, **self.environment}
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def with_document(deployed: bytes, change: Callable[[dict[str, Any]], object]) -> bytes:
    """The archive of a function with a changed document."""
    changed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(deployed)) as before, zipfile.ZipFile(changed, "w") as after:
        for member in before.namelist():
            content = before.read(member)
            if member == DOCUMENT:
                document = json.loads(content)
                change(document)
                content = json.dumps(document).encode()
            after.writestr(member, content)
    return changed.getvalue()


def synthesized(program: Path, output: Path, *arguments: str) -> Path:
    """Run an app; give the folder of its only stack."""
    environment = {**os.environ, "CDKTF_OUTDIR": str(output)}
    subprocess.run([sys.executable, program.name, *arguments], cwd=program.parent, env=environment, check=True)
    (stack,) = (output / "stacks").iterdir()
    return stack


@contextlib.contextmanager
def deployed_site(
    stack: Path,
    data: RehearsalData,
    *,
    pipeline: str | None = None,
    told: Callable[[dict[str, Any]], None] = lambda event: None,
    **stand_ins: Any,
) -> Iterator[Site]:
    """Deploy a synthesized stack; containers run as processes, on machines with a Docker engine too.

    Args:
        stack: Its folder.
        data: What `Rehearsal.run` uploads.
        pipeline: Which pipeline is rehearsed, where the stack has several.
        told: Gets every event of EventBridge.
        stand_ins: Of images and repositories.
    """
    approver, others = Approver(), StandIns(**stand_ins)
    with Rehearsal(stack, data, approver, pipeline=pipeline, docker=False, stand_ins=others) as rehearsal:
        rehearsal.aws.account.subscribe(told)
        yield Site(rehearsal, rehearsal.deploy(), approver)
