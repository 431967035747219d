"""Small hand-made pipelines, Lambda functions and rules for the tests of the local AWS."""

from __future__ import annotations

import io
import json
import time
import zipfile
from typing import TYPE_CHECKING, Any

from patience import PATIENCE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlops_constructs.local_aws.local_aws import LocalAws

_EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}
DATA, ARTIFACTS = "data-bucket", "artifact-bucket"

# Does what its UserParameters say: print, fail, crash, or report after some continuations.
STEP_SOURCE = """
import json, os
import boto3

codepipeline = boto3.client("codepipeline")


def handler(event, context):
    job = event["CodePipeline.job"]
    data = job["data"]
    asked = json.loads(data["actionConfiguration"]["configuration"]["UserParameters"])
    if "crash" in asked:
        raise RuntimeError(asked["crash"])
    if "fail" in asked:
        details = {"type": "JobFailed", "message": asked["fail"], "externalExecutionId": "log-1"}
        codepipeline.put_job_failure_result(jobId=job["id"], failureDetails=details)
        return
    if "fail_unless_exists" in asked:
        bucket, key = asked["fail_unless_exists"].split("/")
        listed = boto3.client("s3").list_objects_v2(Bucket=bucket, Prefix=key)
        if not listed.get("Contents"):
            details = {"type": "JobFailed", "message": "not yet"}
            codepipeline.put_job_failure_result(jobId=job["id"], failureDetails=details)
            return
    turn = int(data.get("continuationToken", "0"))
    if turn < asked.get("turns", 0):
        codepipeline.put_job_success_result(jobId=job["id"], continuationToken=str(turn + 1))
        return
    for output in data["outputArtifacts"]:
        place, keys = output["location"]["s3Location"], data["artifactCredentials"]
        s3 = boto3.client(
            "s3",
            aws_access_key_id=keys["accessKeyId"],
            aws_secret_access_key=keys["secretAccessKey"],
            aws_session_token=keys["sessionToken"],
        )
        s3.put_object(Bucket=place["bucketName"], Key=place["objectKey"], Body=b"made")
    variables = {"Value": asked.get("value", ""), "Turns": str(turn)}
    codepipeline.put_job_success_result(jobId=job["id"], outputVariables=variables)
"""


def zip_of(files: dict[str, str]) -> bytes:
    """A zip in memory."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return buffer.getvalue()


def wait_for(found: Callable[[], Any], seconds: float = PATIENCE_SECONDS) -> Any:
    """The first true answer of `found`."""
    deadline = time.monotonic() + seconds
    while not (answer := found()):
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.05)
    return answer


def make_role(aws: LocalAws, name: str, service: str) -> str:
    """A role that a service may assume, and that may do everything: permissions are what other tests are about."""
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": f"{service}.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    arn: str = aws.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    everything = json.dumps({"Version": "2012-10-17", "Statement": _EVERYTHING})
    aws.client("iam").put_role_policy(RoleName=name, PolicyName="everything", PolicyDocument=everything)
    return arn


def open_to_events(queue_arn: str) -> str:
    """The policy of a queue to which EventBridge may send."""
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue_arn,
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def make_function(aws: LocalAws, name: str, source: str, **more: Any) -> str:
    """A Python function whose module is `function.py`."""
    arn: str = aws.client("lambda").create_function(
        FunctionName=name,
        Role=make_role(aws, f"{name}-role", "lambda"),
        Handler="function.handler",
        Code={"ZipFile": zip_of({"function.py": source})},
        **{"Timeout": 10, "Runtime": "python3.12", **more},
    )["FunctionArn"]
    return arn


def action(name: str, provider: str, configuration: dict[str, str], **more: Any) -> dict[str, Any]:
    """An action of one of AWS's providers."""
    categories = {"S3": "Source", "CodeCommit": "Source", "Manual": "Approval", "Lambda": "Invoke"}
    category = categories.get(provider, "Build")
    kind = {"category": category, "owner": "AWS", "provider": provider, "version": "1"}
    return {"name": name, "actionTypeId": kind, "configuration": configuration, **more}


def step(name: str, asked: dict[str, Any], **more: Any) -> dict[str, Any]:
    """An action of the function `step`."""
    configuration = {"FunctionName": "step", "UserParameters": json.dumps(asked)}
    return action(name, "Lambda", configuration, namespace=name, **more)


def s3_source(**more: str) -> dict[str, Any]:
    """The source action `Dataset` on the object data.csv."""
    configuration = {
        "S3Bucket": DATA,
        "S3ObjectKey": "data.csv",
        "PollForSourceChanges": "false",
        "AllowOverrideForS3ObjectKey": "true",
        **more,
    }
    return action("Dataset", "S3", configuration, namespace="Dataset", outputArtifacts=[{"name": "DatasetObject"}])


class Bench:
    """A local AWS with buckets, the function `step`, and room for pipelines."""

    def __init__(self, aws: LocalAws) -> None:
        self.aws = aws
        self.codepipeline = aws.client("codepipeline")
        self.s3 = aws.client("s3")
        for bucket in (DATA, ARTIFACTS):
            self.s3.create_bucket(Bucket=bucket)
        self.s3.put_bucket_versioning(Bucket=DATA, VersioningConfiguration={"Status": "Enabled"})
        self.role = make_role(aws, "pipeline-role", "codepipeline")
        self.events_role = make_role(aws, "events-role", "events")

    def upload(self, body: bytes = b"1,2\n", key: str = "data.csv") -> str:
        """A new version of an object of the data bucket."""
        version: str = self.s3.put_object(Bucket=DATA, Key=key, Body=body)["VersionId"]
        return version

    def make_pipeline(self, name: str, *stages: list[dict[str, Any]], **more: Any) -> str:
        """A pipeline of stages Stage1, Stage2...; the id of its first execution."""
        self.codepipeline.create_pipeline(
            pipeline={
                "name": name,
                "roleArn": self.role,
                "artifactStore": {"type": "S3", "location": ARTIFACTS},
                "pipelineType": "V2",
                "executionMode": "QUEUED",
                "stages": [
                    {"name": f"Stage{number}", "actions": actions} for number, actions in enumerate(stages, start=1)
                ],
                **more,
            }
        )
        return self.executions(name)[0]["pipelineExecutionId"]

    def start(self, name: str, **more: Any) -> str:
        """A new execution's id."""
        started = self.codepipeline.start_pipeline_execution(name=name, **more)
        return str(started["pipelineExecutionId"])

    def executions(self, name: str) -> Any:
        """All executions, the newest first."""
        return self.codepipeline.list_pipeline_executions(pipelineName=name)["pipelineExecutionSummaries"]

    def status(self, name: str, execution_id: str) -> str:
        """An execution's status."""
        found = self.codepipeline.get_pipeline_execution(pipelineName=name, pipelineExecutionId=execution_id)
        return str(found["pipelineExecution"]["status"])

    def finished(self, name: str, execution_id: str) -> str:
        """The status that an execution ends with."""
        wait_for(lambda: self.status(name, execution_id) not in ("InProgress", "Stopping"))
        return self.status(name, execution_id)

    def actions(self, name: str, execution_id: str) -> dict[str, Any]:
        """The last run of each action of an execution."""
        found = self.codepipeline.list_action_executions(
            pipelineName=name, filter={"pipelineExecutionId": execution_id}
        )
        return {run["actionName"]: run for run in reversed(found["actionExecutionDetails"])}

    def error(self, name: str, execution_id: str, action_name: str) -> Any:
        """Why an action failed: code and message."""
        return self.actions(name, execution_id)[action_name]["output"]["executionResult"]["errorDetails"]

    def variables(self, name: str, execution_id: str, action_name: str) -> Any:
        """An action's output variables."""
        return self.actions(name, execution_id)[action_name]["output"]["outputVariables"]

    def approval_token(self, name: str) -> str:
        """The token of the approval that a pipeline waits for."""

        def found() -> str | None:
            for stage in self.codepipeline.get_pipeline_state(name=name)["stageStates"]:
                for state in stage["actionStates"]:
                    if "token" in state.get("latestExecution", {}):
                        return str(state["latestExecution"]["token"])
            return None

        return str(wait_for(found))

    def answer(self, name: str, token: str, status: str, summary: str = "seen") -> None:
        """Answer the approval `Approve` in Stage2."""
        self.codepipeline.put_approval_result(
            pipelineName=name,
            stageName="Stage2",
            actionName="Approve",
            token=token,
            result={"status": status, "summary": summary},
        )
