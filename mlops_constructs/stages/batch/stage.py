"""Batch transform: uploaded files are scored by jobs, with the model in production, and a candidate is tested so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs import Construct

from ..._aws.actions import EXECUTION_ID, Action, invoke
from ..._aws.events import invoke_on
from ..._aws.function import Function
from ..._aws.network import network_settings
from ..._aws.role import ServiceRole
from .permissions import job_permissions, output_key, record_permissions, smoke_test_permissions, start_permissions
from .request import PIPELINE_TAG, golden_document, scoring_document
from .settings import limits

if TYPE_CHECKING:
    from ..._aws.environment import Environment
    from ..._aws.topic import Topic
    from ...config import BatchTransform, SmokeTest

ACTION = "BatchSmokeTest"
_SECONDS = 300


class BatchStage(Construct):
    """The role of the jobs, the functions that start and record them, and the test of a candidate.

    Attributes:
        role: Role of the jobs and of their models.
        start_batch: Function that starts a job for each uploaded file, or at times for all files.
        record_batch: Function that completes the record of a job that has ended.
        batch_smoke_test: Function that scores the golden records with a candidate.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        config: BatchTransform,
        env: Environment,
        image_arn: str,
        accept: str,
        packages_arn: str,
        topic: Topic,
        smoke_test: SmokeTest,
    ) -> None:
        """Make the role, the functions and the rules that invoke them.

        Args:
            scope: Construct it belongs to; ``id_`` is its id in there.
            config: The jobs.
            env: Where it is deployed.
            image_arn: ARN of the ECR repository of the serving image.
            accept: Type that the algorithm returns.
            packages_arn: Pattern of the ARNs of the model packages.
            topic: SNS topic that is notified when a file is not scored.
            smoke_test: What a candidate must predict.
        """
        super().__init__(scope, id_)
        self._config, self._env, self._accept, self._topic = config, env, accept, topic
        self._packages_arn = packages_arn
        self._tags = {**env.tags, PIPELINE_TAG: env.name}
        self.role = ServiceRole(self, "role", env, "sagemaker", "batch")
        self.role.grant(job_permissions(config, env, image_arn))
        self.start_batch = self._start_batch()
        self.record_batch = self._record_batch()
        self.batch_smoke_test = self._batch_smoke_test(smoke_test)
        self._rules()

    def action(self, *, run_order: int) -> Action:
        """Describe the action that tests a candidate, before the approval."""
        return invoke(
            ACTION,
            self.batch_smoke_test.name,
            run_order=run_order,
            namespace="Batch",
            parameters={
                "execution_id": EXECUTION_ID,
                "golden_uri": "#{Data.GoldenUri}",
                "model_package_arn": "#{Candidate.ModelPackageArn}",
            },
        )

    @property
    def folders(self) -> tuple[str, str]:
        """The folders of the data bucket for files to score, and for predictions."""
        return self._config.input_prefix, self._config.output_prefix

    @property
    def _jobs(self) -> str:
        return f"{self._env.name}-batch"

    def _start_batch(self) -> Function:
        env, stores, config = self._env, self._env.stores, self._config
        return Function(
            self,
            "start_batch",
            folder="start_batch",
            env=env,
            settings={
                "PIPELINE": env.name,
                "ARTIFACT_BUCKET": stores.artifact_bucket,
                "DATA_BUCKET": stores.data_bucket,
                "INPUT_PREFIX": config.input_prefix,
                "OUTPUT_PREFIX": config.output_prefix,
                "OUTPUT_KEY_ARN": output_key(env) or "",
                "KMS_KEY_ARN": stores.key_arn,
                "BATCH_ROLE_ARN": self.role.arn,
                "JOB_PREFIX": self._jobs,
                "TOPIC_ARN": self._topic.arn,
                **network_settings(env),
            },
            document=scoring_document(config, self._accept, self._tags),
            permissions=start_permissions(config, env, self.role.arn, self._packages_arn, self._jobs, self._topic),
            timeout_seconds=_SECONDS,
        )

    def _record_batch(self) -> Function:
        env, stores, config = self._env, self._env.stores, self._config
        return Function(
            self,
            "record_batch",
            folder="record_batch",
            env=env,
            settings={
                "PIPELINE": env.name,
                "DATA_BUCKET": stores.data_bucket,
                "OUTPUT_PREFIX": config.output_prefix,
                "OUTPUT_KEY_ARN": output_key(env) or "",
                "JOB_PREFIX": self._jobs,
                "TOPIC_ARN": self._topic.arn,
            },
            permissions=record_permissions(config, env, self._jobs, self._topic),
            timeout_seconds=_SECONDS,
        )

    def _batch_smoke_test(self, smoke_test: SmokeTest) -> Function:
        env, stores = self._env, self._env.stores
        prefix = f"{env.name}-golden"
        return Function(
            self,
            "batch_smoke_test",
            folder="batch_smoke_test",
            env=env,
            settings={
                **limits(smoke_test),
                "PIPELINE": env.name,
                "ARTIFACT_BUCKET": stores.artifact_bucket,
                "KMS_KEY_ARN": stores.key_arn,
                "BATCH_ROLE_ARN": self.role.arn,
                "JOB_PREFIX": prefix,
                **network_settings(env),
            },
            document=golden_document(self._config, self._accept, self._tags),
            permissions=smoke_test_permissions(self._config, env, self.role.arn, self._packages_arn, prefix),
        )

    def _rules(self) -> None:
        config, schedule = self._config, self._config.schedule_expression
        if schedule is not None:
            invoke_on(self, "on_batch_schedule", function=self.start_batch, env=self._env, schedule=schedule)
        else:
            uploaded = {"key": [{"prefix": config.input_prefix}], "size": [{"numeric": [">", 0]}]}
            pattern = {
                "source": ["aws.s3"],
                "detail-type": ["Object Created"],
                "detail": {"bucket": {"name": [self._env.stores.data_bucket]}, "object": uploaded},
            }
            invoke_on(self, "on_batch_upload", function=self.start_batch, env=self._env, pattern=pattern)
        ended = {
            "source": ["aws.sagemaker"],
            "detail-type": ["SageMaker Transform Job State Change"],
            "detail": {
                "TransformJobName": [{"prefix": f"{self._jobs}-"}],
                "TransformJobStatus": ["Completed", "Failed", "Stopped"],
            },
        }
        invoke_on(self, "on_batch_end", function=self.record_batch, env=self._env, pattern=ended)
