"""The action that runs the team's evaluation program: its function, and the role of the program."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from constructs import Construct

from ..._aws.actions import EXECUTION_ID, RELEASE, Action, invoke
from ..._aws.bounds import JobBounds
from ..._aws.function import Function
from ..._aws.keys import use_key, use_key_for_volumes
from ..._aws.network import network_permissions, network_settings
from ..._aws.policy import allow, pass_role, pull_image, report_result
from ..._aws.role import ServiceRole
from ..._aws.tagging import tag_list

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..._aws.environment import Environment
    from ..._aws.policy import Statement
    from ...config import EvaluationJob

_LOGS = "/aws/sagemaker/ProcessingJobs"
# The argument of the container when no entry point is configured.
_PROGRAM = "evaluate"


class EvaluationRunner(Construct):
    """A SageMaker processing job for every candidate.

    Attributes:
        role: Role of the job, which reads the model and held-out records, and writes its report.
        function: Function that starts the job and waits for it.
    """

    def __init__(self, scope: Construct, id_: str, *, config: EvaluationJob, env: Environment, image_arn: str) -> None:
        """Make the role and the function; ``image_arn`` is the ARN of the ECR repository of the candidates' image."""
        super().__init__(scope, id_)
        stores = env.stores
        self._env = env
        pulled = image_arn if config.image_uri is None else f"arn:{env.partition}:ecr:{env.region}:*:repository/*"
        self.role = ServiceRole(self, "role", env, "sagemaker", "evaluation")
        self.role.grant(self._job_permissions(pulled))
        self.function = Function(
            self,
            "run_evaluation",
            folder="run_evaluation",
            env=env,
            settings={
                "ARTIFACT_BUCKET": stores.artifact_bucket,
                "KMS_KEY_ARN": stores.key_arn,
                "EVALUATION_ROLE_ARN": self.role.arn,
                "JOB_PREFIX": env.name,
                "IMAGE": "" if config.image_uri is None else config.image_uri,
                **network_settings(env),
            },
            document=processing_document(config, env.tags),
            permissions=self._launch_permissions(config),
        )

    def action(self, *, namespace: str) -> Action:
        """Describe the action, the first of its stage."""
        return invoke(
            "RunEvaluation",
            self.function.name,
            namespace=namespace,
            parameters={
                "execution_id": EXECUTION_ID,
                "dataset_uri": "#{Data.DatasetUri}",
                "channels": "#{Data.Channels}",
                "image": "#{Training.Image}",
                "model_data_url": "#{Training.ModelDataUrl}",
                "release": RELEASE,
            },
        )

    def _launch_permissions(self, config: EvaluationJob) -> list[Statement]:
        """Return what run_evaluation needs: to start exactly the configured job, to describe it and to stop it."""
        env, stores = self._env, self._env.stores
        jobs = env.arn("sagemaker", f"processing-job/{env.name}-*")
        bounds = JobBounds(
            instance_types=[config.instance_type],
            max_runtime_in_seconds=config.max_runtime_in_seconds,
            network_isolation=True,
        )
        return [
            *(allow("sagemaker:CreateProcessingJob", jobs, when=when) for when in bounds.conditions(env)),
            allow(["sagemaker:AddTags", "sagemaker:DescribeProcessingJob", "sagemaker:StopProcessingJob"], jobs),
            # If the execution was stopped meanwhile, the function stops the job that it has just started.
            allow("codepipeline:GetPipelineExecution", env.arn("codepipeline", env.name)),
            pass_role(self.role.arn, "sagemaker.amazonaws.com"),
            *use_key_for_volumes(stores.key_arn),
            allow("s3:GetObject", stores.own_arn("releases")),
            *report_result(),
        ]

    def _job_permissions(self, image_arn: str) -> list[Statement]:
        stores = self._env.stores
        read = [stores.own(folder, "*") for folder in ("datasets", "models")]
        return [
            allow("s3:ListBucket", stores.artifact_bucket_arn, when={"StringLike": {"s3:prefix": read}}),
            allow("s3:GetObject", [f"{stores.artifact_bucket_arn}/{folder}" for folder in read]),
            allow("s3:PutObject", stores.own_arn("evaluations")),
            use_key(stores),
            *use_key_for_volumes(stores.key_arn),
            *network_permissions(self._env),
            *pull_image(image_arn),
            allow(
                ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"],
                self._env.arn("logs", f"log-group:{_LOGS}*"),
            ),
            allow("cloudwatch:PutMetricData", "*", when={"StringEquals": {"cloudwatch:namespace": _LOGS}}),
        ]


def processing_document(config: EvaluationJob, tags: Mapping[str, str]) -> dict[str, object]:
    """Return what run_evaluation sends for every data set: the literals of a CreateProcessingJob request."""
    program: dict[str, Any] = {"ContainerArguments": [_PROGRAM]}
    if config.entrypoint is not None:
        program = {"ContainerEntrypoint": list(config.entrypoint)}
    cluster = {
        "InstanceCount": 1,
        "InstanceType": config.instance_type,
        "VolumeSizeInGB": config.volume_size_in_gb,
    }
    request = {
        "AppSpecification": program,
        "ProcessingResources": {"ClusterConfig": cluster},
        "StoppingCondition": {"MaxRuntimeInSeconds": config.max_runtime_in_seconds},
        "NetworkConfig": {"EnableNetworkIsolation": True},
        "Environment": dict(config.environment),
        "Tags": tag_list(tags),
    }
    return {"processing_job": request, "channel": config.channel}
