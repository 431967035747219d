"""A pipeline with a history, in an account in which others are too."""

from __future__ import annotations

import contextlib
import io
import json
import zipfile
from typing import TYPE_CHECKING, Any

from ab_soak.account import ARTIFACTS, DATA
from ab_soak.run import Run
from ab_soak.steps import Step
from botocore.exceptions import ClientError
from local_aws.tiny_pipeline import action, make_role, s3_source, wait_for

from leave_soak.jobs import TAG, lost_job
from mlops_constructs.deployed.pipeline import DeployedPipeline

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ab_soak.account import Account
    from ab_soak.pipeline import Outcome

    from mlops_constructs.local_aws.cloudformation.stack import Stack

KEY = "set.zip"
_ALARM = {
    "Namespace": "AWS/SageMaker",
    "MetricName": "Invocations",
    "Statistic": "Sum",
    "Period": 60,
    "EvaluationPeriods": 1,
    "Threshold": 1,
    "ComparisonOperator": "GreaterThanThreshold",
}
_DEV = {"Resources": {"Busy": {"Type": "AWS::CloudWatch::Alarm", "Properties": _ALARM}}}


class Site:
    """It.

    Attributes:
        name: Name of the pipeline.
        run: Its history.
        stacks: Names of its stacks.
        is_deployed: Whether its CodePipelines exist; during the history, they are only thought of.
    """

    def __init__(self, account: Account, name: str) -> None:
        """Prepare."""
        self.account, self.name = account, name
        self.dev, self.production = f"{name}-dev", f"{name}-production"
        self.stacks = (self.dev, self.production)
        self.is_deployed = False
        self.client = account.client

    def live(self, steps: Sequence[Step], before: Callable[[int], object] = lambda _: None) -> None:
        """Let it have a history, as an A/B test has it; ``before`` is called with the number of each step."""
        plain, self.account.template = self.account.template, _tagged(self.account.template, self.name)
        try:
            self.run = Run(self.account, self.name)
            with contextlib.redirect_stdout(io.StringIO()):
                self.run.do(Step("release"))
                for number, step in enumerate(steps):
                    before(number)
                    self.run.do(step)
        finally:
            self.account.template = plain
            # From here on, CodePipeline answers by itself.
            self.account.calls.answers = {}

    def deploy(self) -> None:
        """Create the CodePipelines: a start deploys DEV at once, then waits for an approval, as the first one does."""
        self.client("sagemaker").create_model_package_group(ModelPackageGroupName=self.name)
        for _ in range(2):
            self.client("sagemaker").create_model_package(ModelPackageGroupName=self.name)
        self.client("s3").put_object(Bucket=DATA, Key=KEY, Body=_bundle())
        role = _role(self.account, "codepipeline")
        approve = action("Approve", "Manual", {})
        stages = [
            [s3_source(S3Bucket=DATA, S3ObjectKey=KEY)],
            [self._deploy(self.dev)],
            [approve],
            [self._deploy(self.production)],
        ]
        for name, parts in (
            (self.name, stages),
            (f"{self.name}-image", [[s3_source(S3Bucket=DATA, S3ObjectKey=KEY)], [approve]]),
        ):
            self.client("codepipeline").create_pipeline(
                pipeline={
                    "name": name,
                    "roleArn": role,
                    "artifactStore": {"type": "S3", "location": ARTIFACTS},
                    "pipelineType": "V2",
                    "executionMode": "QUEUED",
                    "stages": [{"name": f"Stage{number}", "actions": part} for number, part in enumerate(parts, 1)],
                }
            )
        self.is_deployed = True
        self.others()
        wait_for(lambda: "Approve" in self._begun())

    def _begun(self) -> list[str]:
        """Return the actions that have begun."""
        runs = self.client("codepipeline").list_action_executions(pipelineName=self.name)["actionExecutionDetails"]
        return [one["actionName"] for one in runs]

    def _deploy(self, stack: str) -> dict[str, Any]:
        return _deploy(stack, _role(self.account, "cloudformation"))

    def deployed(self) -> DeployedPipeline:
        """Read it, as a command does."""
        return DeployedPipeline.read(self.client, self.name) if self.is_deployed else self.run.pipeline.deployed

    def start(self) -> str:
        """Start an execution, as an upload does."""
        return str(self.client("codepipeline").start_pipeline_execution(name=self.name)["pipelineExecutionId"])

    def stack(self, name: str) -> Stack | None:
        """Return a stack of the local AWS."""
        return self.account.aws.cloudformation.live_stack(name)

    def settle(self) -> None:
        """Wait until no stack changes."""
        for name in self.stacks:
            wait_for(lambda name=name: (one := self.stack(name)) is None or not one.in_progress)

    def others(self) -> None:
        """Make what is not this pipeline's, though its name begins likewise."""
        sagemaker, cloudwatch = self.client("sagemaker"), self.client("cloudwatch")
        model = self.account.models[0]
        sagemaker.create_model(
            ModelName=f"{self.name}-2-model",
            ExecutionRoleArn=self.account.static["ExecutionRoleArn"],
            PrimaryContainer={"Image": model.image, "ModelDataUrl": model.data},
            Tags=[{"Key": TAG, "Value": f"{self.name}-2"}],
        )
        # Terraform made it: a destroy deletes it.
        cloudwatch.put_metric_alarm(AlarmName=f"{self.production}-latency-of-everybody", **_ALARM)
        sagemaker.create_model_package_group(ModelPackageGroupName=f"{self.name}-2")
        sagemaker.create_model_package(ModelPackageGroupName=f"{self.name}-2")

    def lost_by_others(self) -> list[str]:
        """Name what others have lost; then delete it, so that nothing of this history stays."""
        lost = lost_job(self)
        sagemaker, cloudwatch = self.client("sagemaker"), self.client("cloudwatch")
        try:
            sagemaker.delete_model(ModelName=f"{self.name}-2-model")
        except ClientError:
            lost.append("the model of another pipeline")
        alarm = f"{self.production}-latency-of-everybody"
        if not cloudwatch.describe_alarms(AlarmNames=[alarm])["MetricAlarms"]:
            lost.append("the alarm of Terraform")
        cloudwatch.delete_alarms(AlarmNames=[alarm])
        packages = sagemaker.list_model_packages(ModelPackageGroupName=f"{self.name}-2")["ModelPackageSummaryList"]
        for one in packages:
            sagemaker.delete_model_package(ModelPackageName=one["ModelPackageArn"])
        sagemaker.delete_model_package_group(ModelPackageGroupName=f"{self.name}-2")
        return lost if packages else [*lost, "the model package of another pipeline"]


def outcome_of(outcome: Outcome) -> str:
    """Return an outcome as text."""
    return "killed" if outcome.killed else outcome.said or "done"


def _tagged(template: str, name: str) -> str:
    """Return the template with the tag that a pipeline's has."""
    parsed: dict[str, Any] = json.loads(template)
    for one in parsed["Resources"].values():
        if one["Type"].startswith("AWS::SageMaker::"):
            one["Properties"]["Tags"] = [*one["Properties"].get("Tags", []), {"Key": TAG, "Value": name}]
    return json.dumps(parsed)


def _bundle() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("template.json", json.dumps(_DEV))
    return made.getvalue()


def _deploy(stack: str, role: str) -> dict[str, Any]:
    return {
        "name": f"Deploy-{stack}",
        "actionTypeId": {"category": "Deploy", "owner": "AWS", "provider": "CloudFormation", "version": "1"},
        "configuration": {
            "ActionMode": "CREATE_UPDATE",
            "StackName": stack,
            "TemplatePath": "DatasetObject::template.json",
            "RoleArn": role,
        },
        "inputArtifacts": [{"name": "DatasetObject"}],
    }


def _role(account: Account, service: str) -> str:
    try:
        return str(account.client("iam").get_role(RoleName=f"leave-{service}")["Role"]["Arn"])
    except ClientError:
        return make_role(account.aws, f"leave-{service}", service)
