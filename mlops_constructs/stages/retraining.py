"""The function that starts an execution when the watch over production has raised an alarm."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs import Construct

from .._aws.events import invoke_on
from .._aws.function import Function
from .._aws.policy import allow

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .._aws.environment import Environment
    from .._aws.policy import Statement
    from .._aws.topic import Topic
    from ..config import Dataset, Retraining

FOLDER = "retraining"
# Alarms that wait are looked at again as often as this.
_RATE = "rate(1 hour)"
_SECONDS = 300


class RetrainingStage(Construct):
    """What alarms lead to.

    Attributes:
        retrain: The function. The watch over production invokes it; EventBridge does so every hour and, where uploads
            start no execution, for each upload, since alarms may wait for any of these.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        config: Retraining,
        dataset: Dataset,
        action: str,
        on_upload: Mapping[str, object],
        ab_test: bool,
        topic: Topic,
        env: Environment,
    ) -> None:
        """Make the function and its rules.

        Args:
            scope: Construct it belongs to; ``id_`` is its id in there.
            config: What may start an execution, and how often.
            dataset: The data sets.
            action: Name of the source action of the data set.
            on_upload: The event pattern of an upload.
            ab_test: Whether the pipeline has A/B tests.
            topic: SNS topic that is notified when alarms wait for people.
            env: Where it is deployed.
        """
        super().__init__(scope, id_)
        stores = env.stores
        self.retrain = Function(
            self,
            "retrain",
            folder="retrain",
            env=env,
            settings={
                "PIPELINE": env.name,
                "DATA_BUCKET": stores.data_bucket,
                "ARTIFACT_BUCKET": stores.artifact_bucket,
                "TOPIC_ARN": topic.arn,
            },
            document=_document(config, dataset, action, ab_test=ab_test),
            permissions=_permissions(dataset, env, topic),
            timeout_seconds=_SECONDS,
        )
        invoke_on(self, "retrain_schedule", schedule=_RATE, function=self.retrain, env=env, target_id="retrain")
        if not dataset.start_on_upload:
            invoke_on(self, "on_new_data", pattern=on_upload, function=self.retrain, env=env, target_id="retrain")


def _document(config: Retraining, dataset: Dataset, action: str, *, ab_test: bool) -> dict[str, object]:
    return {
        "reasons": config.reasons,
        "min_new_datasets": config.min_new_datasets,
        "cooldown_in_hours": config.cooldown_in_hours,
        "max_executions_per_month": config.max_executions_per_month,
        "action": action,
        "prefix": dataset.prefix,
        "suffix": dataset.suffix or "",
        "start_on_upload": dataset.start_on_upload,
        "ab_test": ab_test,
    }


def _permissions(dataset: Dataset, env: Environment, topic: Topic) -> list[Statement]:
    stores = env.stores
    own = {name: stores.own(FOLDER, name) for name in ("state.json", "executions/*", "decisions/*")}
    releases = stores.own("releases", "*")
    listed = {"StringLike": {"s3:prefix": [own["state.json"], releases]}}
    return [
        allow(
            ["codepipeline:ListPipelineExecutions", "codepipeline:StartPipelineExecution"],
            env.arn("codepipeline", env.name),
        ),
        allow(
            "s3:ListBucketVersions",
            stores.data_bucket_arn,
            when={"StringLike": {"s3:prefix": [f"{dataset.prefix}*"]}},
        ),
        allow("s3:ListBucket", stores.artifact_bucket_arn, when=listed),
        allow("s3:GetObject", [f"{stores.artifact_bucket_arn}/{name}" for name in (own["state.json"], releases)]),
        allow("s3:PutObject", [f"{stores.artifact_bucket_arn}/{name}" for name in own.values()]),
        *topic.publish(env),
    ]
