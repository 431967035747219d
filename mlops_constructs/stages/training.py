"""From an uploaded data set to a trained model: check, pin, train, wait."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from constructs import Construct

from .._aws.actions import EXECUTION_ID, RELEASE, Stage, invoke
from .._aws.dataset_check import check_dataset_function
from .._aws.function import Function
from .._aws.keys import use_key, use_key_for_volumes
from .._aws.literals import literal_json
from .._aws.policy import allow, pass_role, pull_image, report_job
from .._aws.role import ServiceRole

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .._aws.environment import Environment
    from .._aws.policy import Statement
    from .._aws.stores import Stores
    from ..config import Dataset
    from ..config import Training as TrainingConfig


def wire_value(value: str | int | float | bool) -> str:
    """Write a hyperparameter as SageMaker takes it: a string as it is, anything else as JSON text."""
    return value if isinstance(value, str) else json.dumps(value)


class Training(Construct):
    """The functions that check a data set and train on it, and the role that training runs under.

    Attributes:
        role: Role of the training job: reads pinned data sets, writes models.
        check_dataset: Function that checks and pins an uploaded data set.
        train_model: Function that starts the training job and waits for it.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        dataset: Dataset,
        config: TrainingConfig,
        env: Environment,
        stores: Stores,
        image_parameter: str,
        image_arn: str,
        held_out_channel: str | None,
        least_instances: Mapping[str, int],
    ) -> None:
        """Make the role and the functions.

        Args:
            scope: Construct it belongs to.
            id_: Construct id.
            dataset: Limits of a data set.
            config: The training job.
            env: Where it is deployed.
            stores: Buckets and key.
            image_parameter: Name of the SSM parameter with the image.
            image_arn: ECR repository of the image.
            held_out_channel: Channel that training does not get, or None.
            least_instances: Endpoint to the fewest instances that its rollout can do with.
        """
        super().__init__(scope, id_)
        self._env, self._stores, self._held_out_channel = env, stores, held_out_channel
        self.role = ServiceRole(self, "role", env, "sagemaker", "training")
        self.role.grant(self._job_permissions(image_arn))
        self.check_dataset = check_dataset_function(
            self,
            config=dataset,
            env=env,
            stores=stores,
            image_parameter=image_parameter,
            least_instances=least_instances,
        )
        self.train_model = Function(
            self,
            "train_model",
            folder="train_model",
            env=env,
            stores=stores,
            settings=self._settings(config, image_parameter),
            permissions=self._launch_permissions(image_parameter, image_arn),
        )

    def stages(self) -> list[Stage]:
        """Describe the pipeline stages ``Prepare`` and ``Train``."""
        check = invoke(
            "CheckDataset",
            self.check_dataset.name,
            namespace="Data",
            parameters={
                "execution_id": EXECUTION_ID,
                "bucket": "#{Dataset.BucketName}",
                "key": "#{Dataset.ObjectKey}",
                "version_id": "#{Dataset.VersionId}",
                "release": RELEASE,
            },
        )
        train = invoke(
            "Train",
            self.train_model.name,
            namespace="Training",
            parameters={
                "execution_id": EXECUTION_ID,
                "dataset_uri": "#{Data.DatasetUri}",
                "channels": "#{Data.Channels}",
                "sha256": "#{Data.Sha256}",
                "release": RELEASE,
                "request_uri": "#{Data.RequestUri}",
            },
        )
        return [Stage("Prepare", [check]), Stage("Train", [train])]

    def _settings(self, config: TrainingConfig, image_parameter: str) -> dict[str, str]:
        hyperparameters = {name: wire_value(value) for name, value in config.hyperparameters.items()}
        metrics = [{"Name": name, "Regex": regex} for name, regex in config.metrics.items()]
        return {
            "ARTIFACT_BUCKET": self._stores.artifact_bucket,
            "KMS_KEY_ARN": self._stores.key_arn,
            "TRAINING_ROLE_ARN": self.role.arn,
            "IMAGE_PARAMETER": image_parameter,
            "INSTANCE_TYPE": config.instance_type,
            "INSTANCE_COUNT": str(config.instance_count),
            "VOLUME_SIZE_GB": str(config.volume_size_gb),
            "MAX_RUNTIME_SECONDS": str(config.max_runtime_seconds),
            "HYPERPARAMETERS": literal_json(hyperparameters),
            "METRIC_DEFINITIONS": literal_json(metrics),
            "JOB_PREFIX": self._env.name,
            "ENVIRONMENT": literal_json(dict(config.environment)),
            "HELD_OUT_CHANNEL": "" if self._held_out_channel is None else self._held_out_channel,
        }

    def _job_permissions(self, image_arn: str) -> list[Statement]:
        env, stores = self._env, self._stores
        return [
            allow(
                "s3:ListBucket",
                stores.artifact_bucket_arn,
                when={"StringLike": {"s3:prefix": ["datasets/*"]}},
            ),
            allow("s3:GetObject", f"{stores.artifact_bucket_arn}/datasets/*"),
            allow("s3:PutObject", f"{stores.artifact_bucket_arn}/models/*"),
            use_key(stores.key_arn),
            use_key_for_volumes(stores.key_arn),
            *pull_image(image_arn),
            allow(
                ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"],
                env.arn("logs", "log-group:/aws/sagemaker/TrainingJobs*"),
            ),
            allow(
                "cloudwatch:PutMetricData",
                "*",
                when={"StringEquals": {"cloudwatch:namespace": "/aws/sagemaker/TrainingJobs"}},
            ),
        ]

    def _launch_permissions(self, image_parameter: str, image_arn: str) -> list[Statement]:
        env = self._env
        jobs = env.arn("sagemaker", f"training-job/{env.name}-*")
        return [
            allow(["sagemaker:CreateTrainingJob", "sagemaker:DescribeTrainingJob", "sagemaker:AddTags"], jobs),
            pass_role(self.role.arn, "sagemaker.amazonaws.com"),
            allow("ssm:GetParameter", env.arn("ssm", f"parameter{image_parameter}")),
            allow("s3:GetObject", f"{self._stores.artifact_bucket_arn}/releases/*"),
            allow("s3:GetObject", f"{self._stores.artifact_bucket_arn}/datasets/*/request.json"),
            # A tag is resolved to its digest.
            allow("ecr:BatchGetImage", image_arn),
            use_key_for_volumes(self._stores.key_arn),
            *report_job(),
        ]
