"""The functions of A/B tests, and their actions in the pipeline."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from constructs import Construct

from ..._aws.actions import AB_TEST, AB_TEST_VARIABLE, EXECUTION_ID, RELEASE, Action, Variable, invoke
from ..._aws.events import invoke_on
from ..._aws.function import Function
from ..._aws.policy import allow, report_result

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..._aws.environment import Environment
    from ..._aws.policy import Statement
    from ...config import ABTest, Endpoint

FOLDER = "ab"
GROUND_TRUTH = "ground-truth"
ARTIFACT = "Variants"
_JUDGE_SECONDS, _JUDGE_MEMORY_MB, _ABORT_SECONDS = 900, 1024, 360


class ABTestStage(Construct):
    """The functions of A/B tests.

    Attributes:
        place_variants: Function that computes the parameters of both slots, and begins and ends tests.
        judge_ab_test: Function that joins requests with outcomes, and writes the report.
        abort_ab_test: Function of the guard: it gives the champion all requests and can do nothing else. None without
            a guard.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        config: ABTest,
        production: Endpoint,
        fleet: Mapping[str, str],
        instance_types: Sequence[str],
        endpoint: str,
        env: Environment,
    ) -> None:
        """Make the functions, and the schedule of the looks.

        Args:
            scope: Construct it belongs to; ``id_`` is its id in there.
            config: The tests.
            production: The production endpoint.
            fleet: The configured parameters of its fleet.
            instance_types: Instance types that it may have.
            endpoint: Its name, which its stack has too.
            env: Where it is deployed.
        """
        super().__init__(scope, id_)
        self._env, self._endpoint = env, endpoint
        self._settings = {
            "PIPELINE": env.name,
            "ARTIFACT_BUCKET": env.stores.artifact_bucket,
            "ENDPOINT": endpoint,
        }
        self.place_variants = self._place_variants(placement_document(config, production, fleet, instance_types))
        self.abort_ab_test = self._abort_ab_test() if config.guard else None
        self.judge_ab_test = self._judge_ab_test()
        invoke_on(
            self,
            "look_at_ab_test",
            function=self.judge_ab_test,
            env=env,
            schedule=_rate(config.looks_every_minutes),
            target_id="judge-ab-test",
        )

    def plan(self, *, run_order: int) -> Action:
        """Describe the action before the change sets; it writes the artifact with their parameters."""
        return self._action("PlaceVariants", "plan", run_order, namespace="Placed", outputs=[ARTIFACT])

    def settle(self, *, run_order: int) -> Action:
        """Describe the action after the smoke test: it writes what is true, and begins the challenger's test."""
        return self._action("SettleVariants", "settle", run_order)

    @property
    def role(self) -> str:
        """The variable with the role of the release."""
        return "#{Placed.Role}"

    def _action(
        self, name: str, step: str, run_order: int, *, namespace: str | None = None, outputs: Sequence[str] = ()
    ) -> Action:
        return invoke(
            name,
            self.place_variants.name,
            run_order=run_order,
            namespace=namespace,
            inputs=["Release"] if outputs else (),
            outputs=outputs,
            parameters={
                "step": step,
                "execution_id": EXECUTION_ID,
                "model_package_arn": "#{Candidate.ModelPackageArn}",
                "image": "#{Candidate.Image}",
                "model_data_url": "#{Training.ModelDataUrl}",
                "release": RELEASE,
                "ab_test": AB_TEST,
            },
        )

    def _place_variants(self, document: Mapping[str, object]) -> Function:
        env = self._env
        return Function(
            self,
            "place_variants",
            folder="place_variants",
            env=env,
            settings=self._settings,
            document=document,
            permissions=[
                *self._record(),
                *self._weights(),
                allow("cloudformation:DescribeStacks", env.arn("cloudformation", f"stack/{self._endpoint}/*")),
                # AWS authorizes this action on all alarms.
                allow("cloudwatch:DescribeAlarms", env.arn("cloudwatch", "alarm:*")),
                *report_result(),
            ],
        )

    def _judge_ab_test(self) -> Function:
        env, stores = self._env, self._env.stores
        abort = self.abort_ab_test
        read = [stores.own(folder, "*") for folder in (FOLDER, "capture", GROUND_TRUTH)]
        return Function(
            self,
            "judge_ab_test",
            folder="judge_ab_test",
            env=env,
            settings={**self._settings, "ABORT_FUNCTION": "" if abort is None else abort.name},
            permissions=[
                allow("s3:ListBucket", stores.artifact_bucket_arn, when={"StringLike": {"s3:prefix": read}}),
                allow("s3:GetObject", [f"{stores.artifact_bucket_arn}/{folder}" for folder in read]),
                # Its state and reports, and not the record.
                allow("s3:PutObject", f"{stores.artifact_bucket_arn}/{stores.own(FOLDER, 'tests/*')}"),
                allow("sagemaker:DescribeEndpoint", env.arn("sagemaker", f"endpoint/{self._endpoint}")),
                # GetMetricData takes no resource, hence `*`.
                allow("cloudwatch:GetMetricData", "*"),
                *([] if abort is None else [allow("lambda:InvokeFunction", abort.arn)]),
            ],
            timeout_seconds=_JUDGE_SECONDS,
            memory_mb=_JUDGE_MEMORY_MB,
        )

    def _abort_ab_test(self) -> Function:
        return Function(
            self,
            "abort_ab_test",
            folder="abort_ab_test",
            env=self._env,
            settings=self._settings,
            permissions=[*self._record("tests/*/report.json"), *self._weights()],
            # It waits until the new weights are in force.
            timeout_seconds=_ABORT_SECONDS,
        )

    def _record(self, *read: str) -> list[Statement]:
        """Allow reading and writing the record, and reading other objects of A/B tests."""
        stores = self._env.stores
        keys = [stores.own(FOLDER, name) for name in ("record.json", *read)]
        arns = [f"{stores.artifact_bucket_arn}/{key}" for key in keys]
        return [
            # To know whether they exist.
            allow("s3:ListBucket", stores.artifact_bucket_arn, when={"StringLike": {"s3:prefix": keys}}),
            allow("s3:GetObject", arns),
            allow("s3:PutObject", arns[0]),
        ]

    def _weights(self) -> list[Statement]:
        return [
            allow(
                ["sagemaker:DescribeEndpoint", "sagemaker:UpdateEndpointWeightsAndCapacities"],
                self._env.arn("sagemaker", f"endpoint/{self._endpoint}"),
            )
        ]


def ab_test_variable() -> Variable:
    """Describe the pipeline variable that a promotion, or the end of a test, sets when it starts the pipeline."""
    return Variable(
        name=AB_TEST_VARIABLE,
        default="none",
        description="promote or abort: what happens to the challenger; none releases a model",
    )


def placement_document(
    config: ABTest, production: Endpoint, fleet: Mapping[str, str], instance_types: Sequence[str]
) -> dict[str, Any]:
    """Return what place_variants knows at synth."""
    rollout = production.rollout
    return {
        "plan": config.plan(),
        "fleet": dict(fleet),
        "instance_types": list(instance_types),
        "bake_seconds": 0 if rollout is None else rollout.wait_interval_in_seconds,
        "has_alarms": rollout is not None,
    }


def _rate(minutes: int) -> str:
    return f"rate({minutes} minutes)"
