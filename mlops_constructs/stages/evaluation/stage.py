"""Whether the candidate is good enough: evaluate it, register it, then apply the evaluation gate."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from constructs import Construct

from ..._aws.actions import EXECUTION_ID, RELEASE, Action, PipelineStage, invoke
from ..._aws.function import Function
from ..._aws.policy import allow, mark_package, report_result
from ..._cdk import Annotations
from .runner import EvaluationRunner

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..._aws.environment import Environment
    from ...config import Evaluation, Threshold

# The artifact with the template configurations of a candidate.
RELEASE_ARTIFACT = "Release"
_NO_REPORT = "none"
_NO_GATE = (
    "There is no evaluation gate: every model that is trained is deployed to DEV, whatever its metrics, and only the"
    " approver decides about production."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServingImage:
    """What serves a script.

    Attributes:
        uri: URI of its image, or None for the one that trains.
        pull_arn: ARN of the repository of that image, or None likewise.
        environment: Environment variables of its container, except the region.
    """

    uri: str | None
    pull_arn: str | None
    environment: Mapping[str, str]


class EvaluationStage(Construct):
    """The functions that evaluate and register a candidate, and the evaluation gate.

    A candidate is registered before the gate, so that a rejected candidate is recorded too.

    Attributes:
        job: The team's evaluation program, or None when the gate uses the metrics of training.
        register_model: Function that creates the model package and the ``Release`` artifact.
        evaluate_model: Function that implements the gate.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        config: Evaluation,
        env: Environment,
        group: str,
        packages_arn: str,
        production_stack: str,
        stack_parameters: Mapping[str, Mapping[str, str]],
        image_arn: str,
        image_of_aws: bool,
        serving: ServingImage | None = None,
        training_jobs_arn: str,
    ) -> None:
        """Make the functions.

        Args:
            scope: Construct it belongs to.
            id_: Construct id.
            config: The gate.
            env: Where it is deployed.
            group: Name of the model package group.
            packages_arn: Pattern of the ARNs of its packages.
            production_stack: CloudFormation stack of the model in production.
            stack_parameters: Environment (``dev``, ``production``) to the parameters that its stack always gets.
            image_arn: ARN of the ECR repository of the image.
            image_of_aws: Whether it is AWS's, so that no tag of it is a commit of the team.
            serving: What serves a script, or None without a script.
            training_jobs_arn: Pattern of the ARNs of the training jobs.
        """
        super().__init__(scope, id_)
        self._env, self._image_arn = env, image_arn
        self._training_jobs_arn, self._image_of_aws, self._serving = training_jobs_arn, image_of_aws, serving
        self.job: EvaluationRunner | None = None
        if config.job is not None:
            self.job = EvaluationRunner(self, "job", config=config.job, env=env, image_arn=image_arn)
        self.register_model = self._register_model(group, packages_arn, stack_parameters)
        self.evaluate_model = self._evaluate_model(config, packages_arn, production_stack)
        if not config.thresholds:
            Annotations.of(self).add_warning(_NO_GATE)

    @property
    def functions(self) -> list[Function]:
        """The functions that the pipeline invokes."""
        return [*([] if self.job is None else [self.job.function]), self.register_model, self.evaluate_model]

    def stages(self) -> list[PipelineStage]:
        """Describe the pipeline stage ``Evaluate``."""
        actions: list[Action] = []
        report = _NO_REPORT
        if self.job is not None:
            actions.append(self.job.action(namespace="Evaluated"))
            report = "#{Evaluated.EvaluationUri}"
        first = len(actions) + 1
        register = invoke(
            "Register",
            self.register_model.name,
            run_order=first,
            namespace="Candidate",
            outputs=[RELEASE_ARTIFACT],
            parameters={
                "execution_id": EXECUTION_ID,
                "job_name": "#{Training.JobName}",
                "dataset_uri": "#{Data.DatasetUri}",
                "sha256": "#{Data.Sha256}",
                "version_id": "#{Dataset.VersionId}",
                "request_uri": "#{Data.RequestUri}",
                "evaluation_uri": report,
                "release": RELEASE,
            },
        )
        gate = invoke(
            "Gate",
            self.evaluate_model.name,
            run_order=first + 1,
            namespace="Gate",
            parameters={"model_package_arn": "#{Candidate.ModelPackageArn}", "release": RELEASE},
        )
        return [PipelineStage("Evaluate", [*actions, register, gate])]

    def _register_model(
        self, group: str, packages_arn: str, stack_parameters: Mapping[str, Mapping[str, str]]
    ) -> Function:
        env, stores = self._env, self._env.stores
        readable = [
            stores.own("models", "*"),
            stores.own("releases", "*"),
            stores.own("datasets", "*/request.json"),
            *([] if self.job is None else [stores.own("evaluations", "*")]),
        ]
        listed = [folder for folder in readable if folder.startswith(("models/", "evaluations/"))]
        return Function(
            self,
            "register_model",
            folder="register_model",
            env=env,
            settings={
                "MODEL_PACKAGE_GROUP": group,
                "STACK_PARAMETERS": json.dumps(stack_parameters),
                "ARTIFACT_BUCKET": stores.artifact_bucket,
                **self._served(),
            },
            permissions=[
                allow("sagemaker:DescribeTrainingJob", self._training_jobs_arn),
                allow(
                    "sagemaker:CreateModelPackage",
                    [env.arn("sagemaker", f"model-package-group/{group}"), packages_arn],
                    when={"StringEquals": {"sagemaker:ModelApprovalStatus": "PendingManualApproval"}},
                ),
                # The package of a release that is deployed again.
                allow("sagemaker:DescribeModelPackage", packages_arn),
                # A package has no role: SageMaker reads the model, report and image with the caller's permissions.
                allow("s3:GetObject", [f"{stores.artifact_bucket_arn}/{folder}" for folder in readable]),
                # The checksums of what was trained on, so that the same content is recognised.
                allow("s3:PutObject", stores.own_arn("trained")),
                allow(["ecr:BatchGetImage", *([] if self._image_of_aws else ["ecr:DescribeImages"])], self._images),
                # ListModelPackages takes no resource, hence `*`.
                allow("sagemaker:ListModelPackages", "*"),
                # To know whether a model or a report exists.
                allow("s3:ListBucket", stores.artifact_bucket_arn, when={"StringLike": {"s3:prefix": listed}}),
                *report_result(),
            ],
        )

    @property
    def _images(self) -> list[str]:
        served = None if self._serving is None else self._serving.pull_arn
        return list(dict.fromkeys([self._image_arn, *([] if served is None else [served])]))

    def _served(self) -> dict[str, str]:
        """Return the settings about the container that serves."""
        if self._serving is None:
            return {"SERVING_IMAGE": "", "ENVIRONMENT": "{}"}
        environment = {**self._serving.environment, "SAGEMAKER_REGION": self._env.region}
        return {"SERVING_IMAGE": self._serving.uri or "", "ENVIRONMENT": json.dumps(environment)}

    def _evaluate_model(self, config: Evaluation, packages_arn: str, production_stack: str) -> Function:
        return Function(
            self,
            "evaluate_model",
            folder="evaluate_model",
            env=self._env,
            settings={"PRODUCTION_STACK": production_stack},
            document={"gate": bool(config.thresholds), "rules": [_rule(rule) for rule in config.thresholds]},
            permissions=[
                allow("sagemaker:DescribeModelPackage", packages_arn),
                # Pending again when a retry passes the gate; only people approve.
                mark_package(packages_arn, ["Rejected", "PendingManualApproval"]),
                allow("cloudformation:DescribeStacks", self._env.arn("cloudformation", f"stack/{production_stack}/*")),
                *report_result(),
            ],
        )


def _rule(threshold: Threshold) -> dict[str, Any]:
    return {**asdict(threshold), "objective_type": threshold.better}
