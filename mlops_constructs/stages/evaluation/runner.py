"""The action that runs the team's evaluation program: its function, and the role that the program runs under."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs import Construct

from ..._aws.actions import EXECUTION_ID, RELEASE, Action, invoke
from ..._aws.function import Function
from ..._aws.keys import use_key, use_key_for_volumes
from ..._aws.literals import literal_json
from ..._aws.network import joined, network_permissions
from ..._aws.policy import allow, pass_role, pull_image, report_result
from ..._aws.role import ServiceRole

if TYPE_CHECKING:
    from ..._aws.environment import Environment
    from ..._aws.policy import Statement
    from ...config import EvaluationJob

_LOGS = "/aws/sagemaker/ProcessingJobs"


class EvaluationRunner(Construct):
    """A SageMaker processing job for every candidate.

    Attributes:
        role: Role of the job: reads model and held-out records, writes its report.
        function: Function that starts the job and waits for it.
    """

    def __init__(self, scope: Construct, id_: str, *, config: EvaluationJob, env: Environment, image_arn: str) -> None:
        """Make role and function; ``image_arn`` is the repository of the candidates' image."""
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
            settings=self._settings(config),
            permissions=[
                allow(
                    ["sagemaker:CreateProcessingJob", "sagemaker:DescribeProcessingJob", "sagemaker:AddTags"],
                    env.arn("sagemaker", f"processing-job/{env.name}-*"),
                ),
                pass_role(self.role.arn, "sagemaker.amazonaws.com"),
                use_key_for_volumes(stores.key_arn),
                allow("s3:GetObject", stores.own_arn("releases")),
                *report_result(),
            ],
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

    def _settings(self, config: EvaluationJob) -> dict[str, str]:
        network = self._env.network
        return {
            "ARTIFACT_BUCKET": self._env.stores.artifact_bucket,
            "KMS_KEY_ARN": self._env.stores.key_arn,
            "EVALUATION_ROLE_ARN": self.role.arn,
            "JOB_PREFIX": self._env.name,
            "CHANNEL": config.channel,
            "ENTRYPOINT": literal_json([] if config.entrypoint is None else list(config.entrypoint)),
            "IMAGE": "" if config.image_uri is None else config.image_uri,
            "INSTANCE_TYPE": config.instance_type,
            "VOLUME_SIZE_GB": str(config.volume_size_in_gb),
            "MAX_RUNTIME_SECONDS": str(config.max_runtime_in_seconds),
            "ENVIRONMENT": literal_json(dict(config.environment)),
            "SUBNET_IDS": "" if network is None else joined(network.subnet_ids),
            "SECURITY_GROUP_IDS": "" if network is None else joined(network.security_group_ids),
            "TAGS": literal_json(dict(self._env.tags)),
        }

    def _job_permissions(self, image_arn: str) -> list[Statement]:
        stores = self._env.stores
        read = ["datasets/*", "models/*"]
        return [
            allow("s3:ListBucket", stores.artifact_bucket_arn, when={"StringLike": {"s3:prefix": read}}),
            allow("s3:GetObject", [f"{stores.artifact_bucket_arn}/{folder}" for folder in read]),
            allow("s3:PutObject", f"{stores.artifact_bucket_arn}/evaluations/*"),
            use_key(stores.key_arn),
            use_key_for_volumes(stores.key_arn),
            *network_permissions(self._env),
            *pull_image(image_arn),
            allow(
                ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"],
                self._env.arn("logs", f"log-group:{_LOGS}*"),
            ),
            allow("cloudwatch:PutMetricData", "*", when={"StringEquals": {"cloudwatch:namespace": _LOGS}}),
        ]
