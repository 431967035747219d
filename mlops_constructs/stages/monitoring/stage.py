"""The functions that make the baseline of a candidate, and compare what production captures with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs import Construct

from ..._aws.actions import Action, invoke
from ..._aws.events import invoke_on
from ..._aws.function import Function
from ..._aws.policy import allow, report_result

if TYPE_CHECKING:
    from ..._aws.environment import Environment
    from ..._aws.policy import Statement
    from ..._aws.topic import Topic
    from ...config import Monitoring

# Of the records that are watched, of the watch itself, and of what it is compared with.
GROUND_TRUTH, FOLDER, BASELINES = "ground-truth", "monitoring", "baselines"
NAMESPACE = "MLOpsConstructs/Monitoring"
# Rows that a model was not trained with, in the order of preference.
_CHANNELS = ("validation", "test")
_SECONDS, _MEMORY_MB = 900, 1769


class MonitoringStage(Construct):
    """The watch over production.

    Both functions run the code of ``lambdas/watch_traffic``, each with a role of its own.

    Attributes:
        make_baseline: Function of the action ``Baseline``, which reads the data set and invokes the DEV endpoint.
        watch_traffic: Function that looks at what was captured, on a schedule.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        config: Monitoring,
        env: Environment,
        endpoint: str,
        dev_endpoint: str,
        held_out_channel: str | None,
        accept: str,
        max_bytes: int,
        ab_test: bool,
        topic: Topic,
        retrain: Function | None = None,
    ) -> None:
        """Make the functions, and the schedule of the looks.

        Args:
            scope: Construct it belongs to; ``id_`` is its id in there.
            config: The watch.
            env: Where it is deployed.
            endpoint: Name of the production endpoint.
            dev_endpoint: Name of the DEV endpoint.
            held_out_channel: Channel of the evaluation job, which training does not get; None without such a job.
            accept: ``Accept`` header of the invocations.
            max_bytes: As many bytes of a data set are read.
            ab_test: Whether production serves a champion and a challenger.
            topic: SNS topic that is notified.
            retrain: Function that is invoked when an alarm is raised, or None.
        """
        super().__init__(scope, id_)
        self._env, self._endpoint, self._dev_endpoint = env, endpoint, dev_endpoint
        channels = [*([] if held_out_channel is None else [held_out_channel]), *_CHANNELS]
        self._document = {
            "monitoring": config.to_json(),
            "channels": list(dict.fromkeys(channels)),
            "accept": accept,
            "max_bytes": max_bytes,
            "ab_test": ab_test,
        }
        self.make_baseline = self._make_baseline(predictions=config.predictions)
        self.watch_traffic = self._watch_traffic(topic, retrain, ab_test=ab_test)
        minutes = config.looks_every_minutes
        invoke_on(
            self,
            "watch_traffic_schedule",
            function=self.watch_traffic,
            env=env,
            schedule=f"rate({minutes} minute{'' if minutes == 1 else 's'})",
            target_id="watch-traffic",
        )

    def action(self, *, run_order: int) -> Action:
        """Describe the action after the smoke test of DEV: the baseline of the candidate."""
        return invoke(
            "Baseline",
            self.make_baseline.name,
            run_order=run_order,
            namespace="Baseline",
            parameters={
                "dataset_uri": "#{Data.DatasetUri}",
                "channels": "#{Data.Channels}",
                "request_uri": "#{Data.RequestUri}",
                "model_package_arn": "#{Candidate.ModelPackageArn}",
            },
        )

    def _make_baseline(self, *, predictions: bool) -> Function:
        env, stores = self._env, self._env.stores
        dev = env.arn("sagemaker", f"endpoint/{self._dev_endpoint}")
        # To know whether there is a baseline.
        listed = [stores.own("datasets", "*"), stores.own(BASELINES, "*")]
        return Function(
            self,
            "make_baseline",
            folder="watch_traffic",
            purpose="make-baseline",
            env=env,
            settings={**self._settings(self._dev_endpoint), "TOPIC_ARN": "", "RETRAIN_FUNCTION": ""},
            document=self._document,
            permissions=[
                allow("s3:ListBucket", stores.artifact_bucket_arn, when={"StringLike": {"s3:prefix": listed}}),
                allow("s3:GetObject", stores.own_arn("datasets")),
                allow("s3:PutObject", stores.own_arn(BASELINES)),
                *([allow("sagemaker:InvokeEndpoint", dev)] if predictions else []),
                *report_result(),
            ],
            timeout_seconds=_SECONDS,
            memory_mb=_MEMORY_MB,
        )

    def _watch_traffic(self, topic: Topic, retrain: Function | None, *, ab_test: bool) -> Function:
        env, stores = self._env, self._env.stores
        settings = {"TOPIC_ARN": topic.arn, "RETRAIN_FUNCTION": "" if retrain is None else retrain.name}
        return Function(
            self,
            "watch_traffic",
            folder="watch_traffic",
            env=env,
            settings={**self._settings(self._endpoint), **settings},
            document=self._document,
            permissions=[
                *self._records(ab_test=ab_test),
                allow("s3:PutObject", stores.own_arn(FOLDER)),
                # PutMetricData takes no resource, hence `*`.
                allow("cloudwatch:PutMetricData", "*", when={"StringEquals": {"cloudwatch:namespace": NAMESPACE}}),
                *topic.publish(env),
                *([] if retrain is None else [allow("lambda:InvokeFunction", retrain.arn)]),
            ],
            timeout_seconds=_SECONDS,
            memory_mb=_MEMORY_MB,
        )

    def _records(self, *, ab_test: bool) -> list[Statement]:
        """Allow reading what was captured and reported, the releases with their baselines, and the watch itself."""
        stores = self._env.stores
        folders = [
            stores.own("capture", f"production/{self._endpoint}/*"),
            *(stores.own(folder, "*") for folder in (GROUND_TRUTH, "releases", BASELINES, FOLDER)),
            *([stores.own("ab", "record.json")] if ab_test else []),
        ]
        return [
            allow("s3:ListBucket", stores.artifact_bucket_arn, when={"StringLike": {"s3:prefix": folders}}),
            allow("s3:GetObject", [f"{stores.artifact_bucket_arn}/{folder}" for folder in folders]),
        ]

    def _settings(self, endpoint: str) -> dict[str, str]:
        return {"PIPELINE": self._env.name, "ARTIFACT_BUCKET": self._env.stores.artifact_bucket, "ENDPOINT": endpoint}
