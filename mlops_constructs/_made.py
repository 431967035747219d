"""How the single stages are made from the configuration; ``_parts.py`` says in which order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._aws.naming import dead_letters_name
from .stages.ab_test.stage import ABTestStage
from .stages.alarms import AlarmsStage
from .stages.approval import ACTION as APPROVE
from .stages.approval import STAGE as APPROVE_STAGE
from .stages.approval import ApprovalStage
from .stages.batch.stage import BatchStage
from .stages.evaluation.stage import ServingImage
from .stages.image.stage import ImageStage
from .stages.monitoring.stage import MonitoringStage
from .stages.releases import ReleasesStage
from .stages.retirement import RetirementStage
from .stages.retraining import RetrainingStage
from .stages.training.dataset_check import ConfiguredEndpoints
from .stages.training.stage import TrainingStage
from .stages.trigger import ACTION, upload_pattern

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
) -> TrainingStage:
    """Create the functions of the training job."""
    job = config.evaluation.job
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


def make_ab_test(
    scope: Construct, config: PipelineConfig, env: Environment, deployment: DeploymentStage
) -> ABTestStage | None:
    """Create the functions of A/B tests, or None without them."""
    if config.ab_test is None:
        return None
    return ABTestStage(
        scope,
        "ab_test",
        config=config.ab_test,
        production=config.production,
        fleet=deployment.fleets["production"],
        instance_types=config.allowed_endpoints["production"].instance_types,
        endpoint=deployment.production_endpoint,
        env=env,
    )


def make_releases(
    scope: Construct, env: Environment, registry: RegistryStage, deployment: DeploymentStage
) -> ReleasesStage:
    """Create the record of releases."""
    endpoint = deployment.production_endpoint
    return ReleasesStage(scope, "releases", env=env, packages_arn=registry.packages_arn, production_endpoint=endpoint)


def make_batch(
    scope: Construct,
    config: PipelineConfig,
    env: Environment,
    image: ImageStage,
    registry: RegistryStage,
    approval: ApprovalStage,
) -> BatchStage | None:
    """Create the jobs that score files, or None without them."""
    if config.batch is None:
        return None
    return BatchStage(
        scope,
        "batch",
        config=config.batch,
        env=env,
        image_arn=image.serving_pull_arn,
        accept=config.algorithm.accept,
        packages_arn=registry.packages_arn,
        topic=(approval.topic_arn, approval.topic is not None),
        smoke_test=config.dev.smoke_test,
    )


def make_retraining(
    scope: Construct, config: PipelineConfig, env: Environment, approval: ApprovalStage
) -> RetrainingStage | None:
    """Create what follows an alarm, or None where only people are notified."""
    if config.monitoring is None or config.monitoring.retraining is None:
        return None
    return RetrainingStage(
        scope,
        "retraining",
        config=config.monitoring.retraining,
        dataset=config.dataset,
        action=ACTION,
        on_upload=upload_pattern(config.dataset, env.stores.data_bucket),
        ab_test=config.ab_test is not None,
        topic_arn=approval.topic_arn,
        topic_is_ours=approval.topic is not None,
        env=env,
    )


def make_monitoring(
    scope: Construct,
    config: PipelineConfig,
    env: Environment,
    deployment: DeploymentStage,
    approval: ApprovalStage,
    retraining: RetrainingStage | None,
) -> MonitoringStage | None:
    """Create the watch over production, or None without it."""
    if config.monitoring is None:
        return None
    job = config.evaluation.job
    return MonitoringStage(
        scope,
        "monitoring",
        config=config.monitoring,
        env=env,
        endpoint=deployment.production_endpoint,
        dev_endpoint=deployment.dev_endpoint,
        held_out_channel=None if job is None else job.channel,
        accept=config.algorithm.accept,
        max_bytes=config.dataset.max_inspected_megabytes * 1_000_000,
        ab_test=config.ab_test is not None,
        topic_arn=approval.topic_arn,
        topic_is_ours=approval.topic is not None,
        retrain=None if retraining is None else retraining.retrain,
    )


def make_alarms(
    scope: Construct, config: PipelineConfig, env: Environment, image: ImageStage, topic_arn: str
) -> AlarmsStage:
    """Create the alarms, which notify the approval's topic."""
    return AlarmsStage(
        scope,
        "alarms",
        env=env,
        image_pipeline=None if image.pipeline is None else image.pipeline.name,
        queue_name=None if config.existing.dead_letter_queue_arn is not None else dead_letters_name(env.name),
        topic_arn=topic_arn,
    )
