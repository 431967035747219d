"""From an uploaded data set to a trained model: check, pin, train, wait, and stop jobs that are no longer needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs import Construct

from ..._aws.actions import EXECUTION_ID, RELEASE, Action, PipelineStage, invoke
from ..._aws.function import Function
from ..._aws.network import network_settings
from ..._aws.policy import allow
from ..._aws.role import ServiceRole
from ..._script_source import SOURCE, packed
from ...config.training import MAX_POLL_SECONDS
from .dataset_check import check_dataset_function
from .long_wait import answer_training_function, invoke_on_change
from .permissions import (
    evaluation_stop_permissions,
    job_permissions,
    launch_permissions,
    look_permissions,
    stop_permissions,
    training_jobs_arn,
)
from .request import training_document
from .script import source_record
from .settings import job_settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..._aws.environment import Environment
    from ..._script_source import PackedSource
    from ...config import Dataset, Training, Tuning
    from ...config.requests import AllowedTraining
    from ...config.script import ScriptAlgorithm
    from ...provider import ssm_parameter
    from .dataset_check import ConfiguredEndpoints

STAGE, WAIT = "Train", "WaitForTraining"
# An approval waits at most 60 days; one day more than the runtime is for SageMaker to find instances and end the job.
# https://docs.aws.amazon.com/codepipeline/latest/userguide/limits.html
_MAX_MINUTES = 86_400
_SPARE_MINUTES = 24 * 60


class TrainingStage(Construct):
    """The functions that check a data set, train on it and stop jobs, and the role of the training job.

    Attributes:
        role: Role of the training job, which reads pinned data sets and writes models.
        jobs_arn: Pattern of the ARNs of its training jobs.
        check_dataset: Function that checks and pins an uploaded data set.
        source: SSM parameter with the digest of the script's source, or None without a script.
        train_model: Function that starts the training job and waits for it.
        stop_training: Function that stops the jobs of an execution that has ended without success, its evaluation job
            included.
        answer_training: Function that ends the wait for a job of more than 22 hours, or None for shorter jobs.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        dataset: Dataset,
        config: Training,
        tuning: Tuning | None,
        env: Environment,
        image_parameter: str,
        image_arn: str,
        script: ScriptAlgorithm | None = None,
        held_out_channel: str | None,
        allowed: AllowedTraining,
        cost: tuple[Mapping[str, float], float | None],
        endpoints: ConfiguredEndpoints,
    ) -> None:
        """Make the role, the functions and the rules that invoke them.

        Args:
            scope: Construct it belongs to; ``id_`` is its id in there.
            dataset: Limits of a data set.
            config: The training job.
            tuning: The tuning job that runs it, or None.
            env: Where it is deployed.
            image_parameter: Name of the SSM parameter with the image.
            image_arn: ARN of the ECR repository of the image.
            script: The script that AWS's image runs, or None.
            held_out_channel: Channel of the evaluation job, which training does not get; None without such a job.
            allowed: What a data set may request for the training job.
            cost: Instance type to its price per hour, and the maximum cost of a training, or None.
            endpoints: The endpoints that the model will be deployed to.
        """
        super().__init__(scope, id_)
        self._env, self._config, self._tuning, self._allowed = env, config, tuning, allowed
        self._cost = cost
        self.jobs_arn = training_jobs_arn(env, tuning)
        self.role = ServiceRole(self, "role", env, "sagemaker", "training")
        self.role.grant(job_permissions(env, image_arn, config))
        self.check_dataset = check_dataset_function(
            self,
            config=dataset,
            env=env,
            image_parameter=image_parameter,
            allowed=allowed,
            endpoints=endpoints,
        )
        source = None if script is None else packed(script, config.instance_type)
        self.train_model = self._train_model(image_parameter, image_arn, held_out_channel, source)
        self.source: ssm_parameter.SsmParameter | None = None
        if source is not None:
            self.source = source_record(self, env, source, self.train_model)
        self.stop_training = self._stop_training(evaluates=held_out_channel is not None)
        self._max_seconds = config.max_seconds if tuning is None else tuning.max_runtime_in_seconds
        self.answer_training: Function | None = None
        if self._max_seconds > MAX_POLL_SECONDS:
            self.answer_training = answer_training_function(self, env, tuning, STAGE, WAIT)

    def stages(self) -> list[PipelineStage]:
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
        return [PipelineStage("Prepare", [check]), PipelineStage(STAGE, self._train_actions())]

    def _train_actions(self) -> list[Action]:
        if self.answer_training is None:
            return [self._train("Train", "train")]
        minutes = min(_MAX_MINUTES, -(-self._max_seconds // 60) + _SPARE_MINUTES)
        wait = Action(
            name=WAIT,
            category="Approval",
            action_provider="Manual",
            run_order=2,
            timeout_minutes=minutes,
            configuration={"CustomData": f"Nothing to decide: {self.answer_training.name} answers at the end."},
        )
        return [self._train("StartTraining", "start"), wait, self._train("Train", "read", run_order=3)]

    def _train(self, name: str, step: str, *, run_order: int = 1) -> Action:
        return invoke(
            name,
            self.train_model.name,
            run_order=run_order,
            namespace=None if step == "start" else "Training",
            parameters={
                "execution_id": EXECUTION_ID,
                "dataset_uri": "#{Data.DatasetUri}",
                "channels": "#{Data.Channels}",
                "sha256": "#{Data.Sha256}",
                "release": RELEASE,
                "request_uri": "#{Data.RequestUri}",
                "step": step,
            },
        )

    def _train_model(
        self, image_parameter: str, image_arn: str, held_out_channel: str | None, source: PackedSource | None
    ) -> Function:
        env, stores = self._env, self._env.stores
        return Function(
            self,
            "train_model",
            folder="train_model",
            env=env,
            settings={
                "ARTIFACT_BUCKET": stores.artifact_bucket,
                "KMS_KEY_ARN": stores.key_arn,
                "TRAINING_ROLE_ARN": self.role.arn,
                "PIPELINE": env.name,
                "IMAGE_PARAMETER": image_parameter,
                "JOB_PREFIX": job_settings(env, self._tuning)["JOB_PREFIX"],
                **network_settings(env),
            },
            document=training_document(self._config, self._tuning, held_out_channel, env.tags, source, self._cost),
            files={} if source is None else {SOURCE: source.archive},
            permissions=launch_permissions(
                env,
                role_arn=self.role.arn,
                image_parameter=image_parameter,
                image_arn=image_arn,
                config=self._config,
                tuning=self._tuning,
                allowed=self._allowed,
                has_source=source is not None,
            ),
        )

    def _stop_training(self, *, evaluates: bool) -> Function:
        env = self._env
        function = Function(
            self,
            "stop_training",
            folder="stop_training",
            env=env,
            settings={
                "PIPELINE": env.name,
                **job_settings(env, self._tuning),
                "EVALUATION_PREFIX": env.name if evaluates else "",
            },
            permissions=[
                allow("codepipeline:GetPipelineExecution", env.arn("codepipeline", env.name)),
                *look_permissions(env, self._tuning),
                *stop_permissions(env, self._tuning),
                *(evaluation_stop_permissions(env) if evaluates else []),
            ],
        )
        invoke_on_change(
            self,
            "on_stop",
            function,
            env,
            "aws.codepipeline",
            "CodePipeline Pipeline Execution State Change",
            {"pipeline": [env.name], "state": ["STOPPED", "CANCELED", "SUPERSEDED", "FAILED"]},
        )
        return function
