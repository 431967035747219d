"""How the stages beside the pipeline are made: A/B tests, batches, the watch, alarms and the budget."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._aws.naming import dead_letters_name
from ._aws.tagging import PIPELINE_TAG
from .stages.ab_test.stage import ABTestStage
from .stages.alarms.stage import AlarmsStage
from .stages.batch.stage import BatchStage
from .stages.budget import BudgetStage
from .stages.deployment.slots import ONLY, TWO
from .stages.monitoring.stage import MonitoringStage
from .stages.retraining import RetrainingStage
from .stages.trigger import ACTION, upload_pattern

if TYPE_CHECKING:
    from constructs import Construct

    from ._aws.environment import Environment
    from .config import PipelineConfig
    from .stages.approval import ApprovalStage
    from .stages.deployment.stage import DeploymentStage
    from .stages.image.stage import ImageStage
    from .stages.registry import RegistryStage


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
        topic=approval.notified,
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
        topic=approval.notified,
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
        topic=approval.notified,
        retrain=None if retraining is None else retraining.retrain,
    )


def make_alarms(
    scope: Construct,
    config: PipelineConfig,
    env: Environment,
    image: ImageStage,
    deployment: DeploymentStage,
    approval: ApprovalStage,
) -> AlarmsStage:
    """Create the alarms and notifications for the approval's topic, when all other rules have been created."""
    return AlarmsStage(
        scope,
        "alarms",
        config=config.alarms,
        approval=config.approval,
        env=env,
        production_endpoint=deployment.production_endpoint,
        variants=[slot.variant for slot in (ONLY if config.ab_test is None else TWO)],
        mode=config.production.mode,
        image_pipeline=None if image.pipeline is None else image.pipeline.name,
        queue_name=None if config.existing.dead_letter_queue_arn is not None else dead_letters_name(env.name),
        topic=approval.notified,
    )


def make_budget(scope: Construct, config: PipelineConfig, env: Environment) -> BudgetStage | None:
    """Create the budget of the endpoints, or None when nobody is notified."""
    limit, emails = config.cost.max_monthly_usd, config.cost.budget_emails
    if limit is None or not emails:
        return None
    return BudgetStage(scope, "budget", env=env, tag=PIPELINE_TAG, max_monthly_usd=limit, emails=emails)
