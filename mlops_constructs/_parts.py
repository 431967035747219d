"""The stages of a pipeline, created in the order of their dependencies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ._aws.naming import dead_letters_name
from .stages.ab_test.stage import ABTestStage
from .stages.alarms import AlarmsStage
from .stages.approval import ApprovalStage
from .stages.dashboard.stage import DashboardStage
from .stages.deployment.slots import ONLY, TWO
from .stages.deployment.stage import DeploymentStage
from .stages.evaluation.stage import EvaluationStage, ServingImage
from .stages.image.stage import ImageStage
from .stages.notebook.stage import NotebookStage
from .stages.registry import RegistryStage
from .stages.releases import ReleasesStage
from .stages.storage import StorageStage
from .stages.training.dataset_check import ConfiguredEndpoints
from .stages.training.stage import TrainingStage

if TYPE_CHECKING:
    from constructs import Construct

    from ._aws.account import Account
    from ._aws.environment import Environment
    from ._aws.pricing import HourlyPrices
    from .config import PipelineConfig
    from .config.script import ScriptAlgorithm


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
        max_server_error_percent=None if rollout is None else rollout.max_server_error_percent,
        release_function=parts.releases.record_release.name,
    )


def make_parts(scope: Construct, config: PipelineConfig, env: Environment, prices: HourlyPrices) -> Parts:
    """Create every stage below ``scope``."""
    image, script = _image(scope, config, env), config.algorithm.script
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
    training = _training(scope, config, env, prices, image, deployment)
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
        serving=None if script is None else _serving(image, script),
    )
    approval = _approval(scope, config, env, prices, registry, deployment)
    releases = ReleasesStage(
        scope, "releases", env=env, packages_arn=registry.packages_arn, production_endpoint=production
    )
    alarms = _alarms(scope, config, env, image, approval.topic_arn)
    ab_test = _ab_test(scope, config, env, deployment)
    return Parts(image, registry, training, evaluation, deployment, approval, releases, ab_test, alarms)


def _image(scope: Construct, config: PipelineConfig, env: Environment) -> ImageStage:
    return ImageStage(
        scope,
        "image",
        config=config.algorithm,
        env=env,
        training_type=config.training.instance_type,
        serving_type=config.production.instance_type,
    )


def _serving(image: ImageStage, script: ScriptAlgorithm) -> ServingImage:
    found = image.serving
    return ServingImage(
        uri=None if found is None else found.uri,
        pull_arn=None if found is None else found.pull_arn,
        environment=script.serving_environment,
    )


def _training(
    scope: Construct,
    config: PipelineConfig,
    env: Environment,
    prices: HourlyPrices,
    image: ImageStage,
    deployment: DeploymentStage,
) -> TrainingStage:
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


def _approval(
    scope: Construct,
    config: PipelineConfig,
    env: Environment,
    prices: HourlyPrices,
    registry: RegistryStage,
    deployment: DeploymentStage,
) -> ApprovalStage:
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
        prices=prices,
        max_monthly_usd=config.cost.max_monthly_usd,
        deploy_role_arn=deployment.production_roles.deploy.arn,
        ab_test=config.ab_test is not None,
    )


def _ab_test(
    scope: Construct, config: PipelineConfig, env: Environment, deployment: DeploymentStage
) -> ABTestStage | None:
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


def _alarms(
    scope: Construct, config: PipelineConfig, env: Environment, image: ImageStage, topic_arn: str
) -> AlarmsStage:
    return AlarmsStage(
        scope,
        "alarms",
        env=env,
        image_pipeline=None if image.pipeline is None else image.pipeline.name,
        queue_name=None if config.existing.dead_letter_queue_arn is not None else dead_letters_name(env.name),
        topic_arn=topic_arn,
    )
