"""The stages of a pipeline, created in the order of their dependencies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ._beside import make_ab_test, make_alarms, make_batch, make_budget, make_monitoring, make_retraining
from ._made import (
    make_approval,
    make_evaluation,
    make_image,
    make_releases,
    make_retirement,
    make_training,
)
from .stages.dashboard.stage import DashboardStage
from .stages.deployment.slots import ONLY, TWO
from .stages.deployment.stage import DeploymentStage
from .stages.guard import GuardStage
from .stages.notebook.stage import NotebookStage
from .stages.registry import RegistryStage
from .stages.releases import NAMESPACE
from .stages.storage import StorageStage

if TYPE_CHECKING:
    from constructs import Construct, Node

    from ._aws.account import Account
    from ._aws.environment import Environment
    from ._aws.pipeline import Pipeline
    from ._aws.pricing import HourlyPrices
    from .config import PipelineConfig
    from .stages.ab_test.stage import ABTestStage
    from .stages.alarms.stage import AlarmsStage
    from .stages.approval import ApprovalStage
    from .stages.batch.stage import BatchStage
    from .stages.budget import BudgetStage
    from .stages.evaluation.stage import EvaluationStage
    from .stages.image.stage import ImageStage
    from .stages.monitoring.stage import MonitoringStage
    from .stages.releases import ReleasesStage
    from .stages.retirement import RetirementStage
    from .stages.retraining import RetrainingStage
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
    retirement: RetirementStage | None
    ab_test: ABTestStage | None
    batch: BatchStage | None
    monitoring: MonitoringStage | None
    retraining: RetrainingStage | None
    budget: BudgetStage | None


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


def make_alarms_and_dashboard(
    scope: Construct, config: PipelineConfig, env: Environment, parts: Parts
) -> tuple[AlarmsStage, DashboardStage]:
    """Create the alarms and the dashboard, when everything that they look at has been created."""
    alarms = make_alarms(scope, config, env, parts.image, parts.deployment, parts.approval)
    rollout = config.production.rollout
    dashboard = DashboardStage(
        scope,
        "dashboard",
        env=env,
        production_endpoint=parts.deployment.production_endpoint,
        dev_endpoint=parts.deployment.dev_endpoint,
        variants=[slot.variant for slot in (ONLY if config.ab_test is None else TWO)],
        modes={"dev": config.dev.mode, "production": config.production.mode},
        max_server_error_percent=None if rollout is None else rollout.max_server_error_percent,
        reached={
            "Prepare": parts.training.check_dataset.name,
            "Evaluate": parts.evaluation.evaluate_model.name,
            "Approve": parts.approval.gather_evidence.name,
            "released": parts.releases.record_release.name,
        },
        release_namespace=NAMESPACE,
        alarms=[alarm.arn for alarm in alarms.all],
    )
    return alarms, dashboard


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
    approval = make_approval(scope, config, env, prices, image, registry, deployment)
    training = make_training(scope, config, env, prices, image, deployment, approval)
    evaluation = make_evaluation(scope, config, env, image, registry, training, deployment)
    retraining = make_retraining(scope, config, env, approval)
    return Parts(
        *(image, registry, training, evaluation, deployment, approval),
        releases=make_releases(scope, env, registry, deployment),
        retirement=make_retirement(scope, config, env, deployment),
        budget=make_budget(scope, config, env),
        ab_test=make_ab_test(scope, config, env, deployment),
        batch=make_batch(scope, config, env, image, registry, approval),
        monitoring=make_monitoring(scope, config, env, deployment, approval, retraining),
        retraining=retraining,
    )
