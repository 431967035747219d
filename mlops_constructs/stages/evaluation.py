"""Is the candidate good enough: register it, then judge it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from constructs import Construct

from .._aws.actions import EXECUTION_ID, Stage, invoke
from .._aws.function import Function
from .._aws.policy import allow, report_job

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .._aws.environment import Environment
    from .._aws.stores import Stores
    from ..config import Evaluation as EvaluationConfig

# The artifact with the template configurations of a candidate.
RELEASE = "Release"


class Evaluation(Construct):
    """The functions that register a candidate and open or close the gate.

    A candidate is registered before it is judged, so that a refused one is on record too.

    Attributes:
        register_model: Function that makes the model package and the ``Release`` artifact.
        evaluate_model: Function that is the gate.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        config: EvaluationConfig,
        env: Environment,
        stores: Stores,
        group: str,
        packages_arn: str,
        production_stack: str,
        stack_parameters: Mapping[str, Mapping[str, str]],
        image_arn: str,
        training_jobs_arn: str,
    ) -> None:
        """Make the functions.

        Args:
            scope: Construct it belongs to.
            id_: Construct id.
            config: The gate.
            env: Where it is deployed.
            stores: Buckets and key.
            group: Name of the model package group.
            packages_arn: Pattern of the ARNs of its packages.
            production_stack: CloudFormation stack of the model in production.
            stack_parameters: Endpoint name to the parameters its stack always gets.
            image_arn: ECR repository of the image.
            training_jobs_arn: Pattern of the ARNs of the training jobs.
        """
        super().__init__(scope, id_)
        group_arn = env.arn("sagemaker", f"model-package-group/{group}")
        self.register_model = Function(
            self,
            "register_model",
            folder="register_model",
            env=env,
            stores=stores,
            settings={
                "MODEL_PACKAGE_GROUP": group,
                "STACK_PARAMETERS": json.dumps(stack_parameters),
            },
            permissions=[
                allow("sagemaker:DescribeTrainingJob", training_jobs_arn),
                allow("sagemaker:CreateModelPackage", [group_arn, packages_arn]),
                # A package has no role of its own: SageMaker looks at model and image as the caller.
                allow("s3:GetObject", f"{stores.artifact_bucket_arn}/models/*"),
                allow(["ecr:BatchGetImage", "ecr:DescribeImages"], image_arn),
                # ListModelPackages knows no resource.
                allow("sagemaker:ListModelPackages", "*"),
                *report_job(),
            ],
        )
        self.evaluate_model = Function(
            self,
            "evaluate_model",
            folder="evaluate_model",
            env=env,
            stores=stores,
            settings=_gate(config, production_stack),
            permissions=[
                allow(["sagemaker:DescribeModelPackage", "sagemaker:UpdateModelPackage"], packages_arn),
                allow("cloudformation:DescribeStacks", env.arn("cloudformation", f"stack/{production_stack}/*")),
                *report_job(),
            ],
        )

    def stages(self) -> list[Stage]:
        """Describe the pipeline stage ``Evaluate``."""
        register = invoke(
            "Register",
            self.register_model.name,
            namespace="Candidate",
            outputs=[RELEASE],
            parameters={
                "execution_id": EXECUTION_ID,
                "job_name": "#{Training.JobName}",
                "dataset_uri": "#{Data.DatasetUri}",
                "sha256": "#{Data.Sha256}",
                "version_id": "#{Dataset.VersionId}",
            },
        )
        gate = invoke(
            "Gate",
            self.evaluate_model.name,
            run_order=2,
            namespace="Gate",
            parameters={"model_package_arn": "#{Candidate.ModelPackageArn}"},
        )
        return [Stage("Evaluate", [register, gate])]


def _gate(config: EvaluationConfig, production_stack: str) -> dict[str, str]:
    def text(value: float | None) -> str:
        return "" if value is None else repr(value)

    return {
        "METRIC": config.metric,
        "MINIMUM": text(config.minimum),
        "MAXIMUM": text(config.maximum),
        "BEAT_PRODUCTION_BY": text(config.beat_production_by),
        "PRODUCTION_STACK": production_stack,
    }
