"""The records of what went to production: one numbered object for each release."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs import Construct

from .._aws.actions import AB_TEST, EXECUTION_ID, RELEASE, RELEASE_VARIABLE, Action, Variable, invoke
from .._aws.function import Function
from .._aws.policy import allow, mark_package, report_result

if TYPE_CHECKING:
    from .._aws.environment import Environment
    from .._aws.policy import Statement

FOLDER = "releases"
NAMESPACE = "MLOps/Releases"


class ReleasesStage(Construct):
    """The function that writes the record of a release.

    Attributes:
        record_release: The function.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        env: Environment,
        packages_arn: str,
        production_endpoint: str,
    ) -> None:
        """Make the function."""
        super().__init__(scope, id_)
        self.record_release = Function(
            self,
            "record_release",
            folder="record_release",
            env=env,
            settings={
                "PIPELINE": env.name,
                "ARTIFACT_BUCKET": env.stores.artifact_bucket,
                "ENDPOINT": production_endpoint,
                "METRIC_NAMESPACE": NAMESPACE,
            },
            permissions=[
                allow("codepipeline:ListActionExecutions", env.arn("codepipeline", env.name)),
                allow("sagemaker:DescribeModelPackage", packages_arn),
                # A package that production runs is marked Approved; this function never rejects one.
                mark_package(packages_arn, ["Approved"], may_leave_it=True),
                allow("sagemaker:DescribeEndpoint", env.arn("sagemaker", f"endpoint/{production_endpoint}")),
                # This action takes no resource, hence `*`.
                allow("cloudwatch:PutMetricData", "*", when={"StringEquals": {"cloudwatch:namespace": NAMESPACE}}),
                *_records(env),
                *report_result(),
            ],
        )

    def action(self, *, run_order: int, role: str | None = None) -> Action:
        """Describe the last action of the pipeline: production is deployed and has passed its smoke test.

        With A/B tests, ``role`` is the variable with the role of the release, champion or challenger.
        """
        return invoke(
            "RecordRelease",
            self.record_release.name,
            run_order=run_order,
            namespace="Record",
            parameters={
                "execution_id": EXECUTION_ID,
                "model_package_arn": "#{Candidate.ModelPackageArn}",
                "release": RELEASE,
                **({} if role is None else {"role": role, "ab_test": AB_TEST}),
            },
        )


def release_variable() -> Variable:
    """Describe the pipeline variable that a rollback sets when it starts the pipeline."""
    return Variable(
        name=RELEASE_VARIABLE,
        default="none",
        description="Number of the release to deploy again, or none to train on the data set",
    )


def _records(env: Environment) -> list[Statement]:
    stores = env.stores
    listed = {"StringLike": {"s3:prefix": [stores.own(FOLDER, "*")]}}
    return [
        allow("s3:ListBucket", stores.artifact_bucket_arn, when=listed),
        allow(["s3:GetObject", "s3:PutObject"], stores.own_arn(FOLDER)),
    ]
