"""How the single stages are made from the configuration; ``_parts.py`` says in which order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .stages.approval import ACTION as APPROVE
from .stages.approval import STAGE as APPROVE_STAGE
from .stages.approval import ApprovalStage
from .stages.evaluation.stage import EvaluationStage, ServingImage
from .stages.image.stage import ImageStage
from .stages.releases import ReleasesStage
from .stages.retirement import RetirementStage
from .stages.training.dataset_check import ConfiguredEndpoints
from .stages.training.stage import TrainingStage

if TYPE_CHECKING:
    from constructs import Construct

    from ._aws.environment import Environment
    from ._aws.pricing import HourlyPrices
    from .config import PipelineConfig
    from .config.script import ScriptAlgorithm
    from .stages.deployment.stage import DeploymentStage
    from .stages.registry import RegistryStage


def make_image(scope: Construct, config: PipelineConfig, env: Environment) -> ImageStage:
    """Create what builds or finds the algorithm's image."""
    return ImageStage(
        scope,
        "image",
        config=config.algorithm,
        env=env,
        training_type=config.training.instance_type,
        serving_type=config.production.instance_type,
    )


def make_evaluation(
    scope: Construct,
    config: PipelineConfig,
    env: Environment,
    image: ImageStage,
    registry: RegistryStage,
    training: TrainingStage,
    deployment: DeploymentStage,
) -> EvaluationStage:
    """Create the registration of models and the evaluation gate."""
    script = config.algorithm.script
    return EvaluationStage(
        scope,
        "evaluation",
        config=config.evaluation,
        env=env,
        group=registry.name,
        packages_arn=registry.packages_arn,
        production_stack=deployment.production_endpoint,
        stack_parameters=deployment.stack_parameters,
        training_jobs_arn=training.jobs_arn,
        image_arn=image.pull_arn,
        image_of_aws=config.algorithm.built_in is not None or script is not None,
        serving=None if script is None else make_serving(image, script),
    )


def make_serving(image: ImageStage, script: ScriptAlgorithm) -> ServingImage:
    """Return the image that serves the models of a script."""
    found = image.serving
    return ServingImage(
        uri=None if found is None else found.uri,
        pull_arn=None if found is None else found.pull_arn,
        environment=script.serving_environment,
    )


def make_training(
    scope: Construct,
    config: PipelineConfig,
    env: Environment,
    prices: HourlyPrices,
    image: ImageStage,
    deployment: DeploymentStage,
    approval: ApprovalStage,
) -> TrainingStage:
    """Create the functions of the training job."""
    job, modes = config.evaluation.job, (config.dev.mode, config.production.mode)
    return TrainingStage(
        scope,
        "training",
        dataset=config.dataset,
        config=config.training_of_algorithm,
        tuning=config.tuning,
        env=env,
        image_parameter=image.parameter_name,
        image_arn=image.pull_arn,
        script=config.algorithm.script,
        held_out_channel=None if job is None else job.channel,
        allowed=config.allowed_training,
        cost=(prices.training, config.cost.max_training_usd),
        endpoints=ConfiguredEndpoints(
            production_stack=deployment.production_endpoint,
            dev_stack=deployment.dev_endpoint if config.approval.keep_dev_endpoint else None,
            role_arns=[
                role.arn
                for roles in (deployment.dev_roles, deployment.production_roles)
                for role in (roles.deploy, roles.model)
            ],
            topic_arn=approval.topic_arn if approval.topic is not None else None,
            scales="real-time" in modes or "asynchronous" in modes,
            fleets=deployment.fleets,
            min_instances={"dev": config.dev.min_instances, "production": config.production.min_instances},
            allowed=config.allowed_endpoints,
            ab_test=config.ab_test is not None,
        ),
    )


def make_approval(
    scope: Construct,
    config: PipelineConfig,
    env: Environment,
    prices: HourlyPrices,
    image: ImageStage,
    registry: RegistryStage,
    deployment: DeploymentStage,
) -> ApprovalStage:
    """Create the approval, with the approver's evidence."""
    return ApprovalStage(
        scope,
        "approval",
        config=config.approval,
        env=env,
        group=registry.name,
        packages_arn=registry.packages_arn,
        production=config.production,
        production_stack=deployment.production_endpoint,
        fleets=deployment.fleets,
        office_hours=config.office_hours,
        prices=prices,
        max_monthly_usd=config.cost.max_monthly_usd,
        deploy_role_arn=deployment.production_roles.deploy.arn,
        # Other images are their owner's to scan.
        scanned_arn=None if image.pipeline is None else image.pull_arn,
        ab_test=config.ab_test is not None,
        retraining=config.monitoring is not None and config.monitoring.retraining is not None,
    )


def make_retirement(
    scope: Construct, config: PipelineConfig, env: Environment, deployment: DeploymentStage
) -> RetirementStage | None:
    """Create what deletes the DEV endpoint after the decision, or None where it is kept."""
    if config.approval.keep_dev_endpoint:
        return None
    return RetirementStage(
        scope,
        "retirement",
        env=env,
        stack=deployment.dev_endpoint,
        deploy_role_arn=deployment.dev_roles.deploy.arn,
        approval=(APPROVE_STAGE, APPROVE),
    )


def make_releases(
    scope: Construct, env: Environment, registry: RegistryStage, deployment: DeploymentStage
) -> ReleasesStage:
    """Create the record of releases."""
    endpoint = deployment.production_endpoint
    return ReleasesStage(scope, "releases", env=env, packages_arn=registry.packages_arn, production_endpoint=endpoint)
