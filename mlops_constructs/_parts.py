"""The stages of a pipeline, created in the order of their dependencies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ._made import (
    make_ab_test,
    make_alarms,
    make_approval,
    make_batch,
    make_image,
    make_monitoring,
    make_serving,
    make_training,
)
from .stages.dashboard.stage import DashboardStage
from .stages.deployment.slots import ONLY, TWO
from .stages.deployment.stage import DeploymentStage
from .stages.evaluation.stage import EvaluationStage
from .stages.guard import GuardStage
from .stages.notebook.stage import NotebookStage
from .stages.registry import RegistryStage
from .stages.releases import ReleasesStage
from .stages.storage import StorageStage

if TYPE_CHECKING:
    from constructs import Construct, Node

    from ._aws.account import Account
    from ._aws.environment import Environment
    from ._aws.pipeline import Pipeline
    from ._aws.pricing import HourlyPrices
    from .config import PipelineConfig
    from .stages.ab_test.stage import ABTestStage
    from .stages.alarms import AlarmsStage
    from .stages.approval import ApprovalStage
    from .stages.batch.stage import BatchStage
    from .stages.image.stage import ImageStage
    from .stages.monitoring.stage import MonitoringStage
    from .stages.training.stage import TrainingStage


@dataclass(frozen=True, slots=True)
class Parts:
    """One construct per stage; ``MLOpsPipeline`` describes each."""

    image: ImageStage
    registry: RegistryStage
    training: TrainingStage
    evaluation: EvaluationStage
    deployment: DeploymentStage
    approval: ApprovalStage
    releases: ReleasesStage
    ab_test: ABTestStage | None
    batch: BatchStage | None
    monitoring: MonitoringStage | None
    alarms: AlarmsStage


def make_storage(scope: Construct, account: Account, config: PipelineConfig, name: str) -> StorageStage:
    """Create the buckets, key and queue of the pipeline ``name``."""
    return StorageStage(
        scope,
        "storage",
        account=account,
        name=name,
        retain=config.removal == "retain",
        existing=config.existing,
        dataset=config.dataset,
    )


def make_notebook(scope: Construct, config: PipelineConfig, env: Environment, image: ImageStage) -> NotebookStage:
    """Create the notebook instance, which must be configured."""
    assert config.notebook is not None
    made = image.repository is not None
    return NotebookStage(
        scope,
        "notebook",
        config=config.notebook,
        env=env,
        folders=config.dataset.folders,
        ab_test=config.ab_test is not None,
        algorithm_repository=env.name if made else config.algorithm.codecommit_repository,
        # The repository must be seeded first.
        after=[] if image.pipeline is None else [image.pipeline.pipeline],
    )


def make_dashboard(scope: Construct, config: PipelineConfig, env: Environment, parts: Parts) -> DashboardStage:
    """Create the dashboard, when everything that it shows has been created."""
    rollout = config.production.rollout
    return DashboardStage(
        scope,
        "dashboard",
        env=env,
        production_endpoint=parts.deployment.production_endpoint,
        dev_endpoint=parts.deployment.dev_endpoint,
        variants=[slot.variant for slot in (ONLY if config.ab_test is None else TWO)],
        modes={"dev": config.dev.mode, "production": config.production.mode},
        max_server_error_percent=None if rollout is None else rollout.max_server_error_percent,
        release_function=parts.releases.record_release.name,
    )


def make_guard(scope: Construct, tree: Node, env: Environment, parts: Parts, pipeline: Pipeline) -> GuardStage:
    """Create what a destroy meets first, when everything else below ``tree`` has been created."""
    image = parts.image.pipeline
    return GuardStage(
        scope,
        "guard",
        tree=tree,
        env=env,
        pipelines=[pipeline, *([] if image is None else [image])],
        endpoints=[parts.deployment.production_endpoint, parts.deployment.dev_endpoint],
        packages_arn=parts.registry.packages_arn,
    )


def make_parts(scope: Construct, config: PipelineConfig, env: Environment, prices: HourlyPrices) -> Parts:
    """Create every stage below ``scope``."""
    image, script = make_image(scope, config, env), config.algorithm.script
    registry = RegistryStage(scope, "registry", env=env)
    deployment = DeploymentStage(
        scope,
        "deployment",
        dev=config.dev,
        production=config.production,
        allowed=config.allowed_endpoints,
        env=env,
        image_arn=image.serving_pull_arn,
        accept=config.algorithm.accept,
        environment={} if script is None else script.serving_environment,
        ab_test=config.ab_test is not None,
    )
    production = deployment.production_endpoint
    training = make_training(scope, config, env, prices, image, deployment)
    evaluation = EvaluationStage(
        scope,
        "evaluation",
        config=config.evaluation,
        env=env,
        group=registry.name,
        packages_arn=registry.packages_arn,
        production_stack=production,
        stack_parameters=deployment.stack_parameters,
        training_jobs_arn=training.jobs_arn,
        image_arn=image.pull_arn,
        image_of_aws=config.algorithm.built_in is not None or script is not None,
        serving=None if script is None else make_serving(image, script),
    )
    approval = make_approval(scope, config, env, prices, registry, deployment)
    releases = ReleasesStage(
        scope, "releases", env=env, packages_arn=registry.packages_arn, production_endpoint=production
    )
    alarms = make_alarms(scope, config, env, image, approval.topic_arn)
    ab_test = make_ab_test(scope, config, env, deployment)
    batch = make_batch(scope, config, env, image, registry, approval)
    monitoring = make_monitoring(scope, config, env, deployment, approval)
    return Parts(
        image, registry, training, evaluation, deployment, approval, releases, ab_test, batch, monitoring, alarms
    )
