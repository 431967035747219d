"""The stages of a pipeline, made in the order in which they need each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .stages.approval import Approval
from .stages.deployment import Deployment
from .stages.evaluation import Evaluation
from .stages.image import Image
from .stages.registry import Registry
from .stages.releases import Releases
from .stages.training import Training

if TYPE_CHECKING:
    from constructs import Construct

    from ._aws.environment import Environment
    from ._aws.stores import Stores
    from .config import PipelineConfig


@dataclass(frozen=True, slots=True)
class Parts:
    """One construct a stage; ``MLOpsPipeline`` says what each is."""

    image: Image
    registry: Registry
    training: Training
    evaluation: Evaluation
    deployment: Deployment
    approval: Approval
    releases: Releases


def make_parts(scope: Construct, config: PipelineConfig, env: Environment, stores: Stores) -> Parts:
    """Make every stage below ``scope``."""
    image = Image(scope, "image", config=config.algorithm, env=env, stores=stores)
    registry = Registry(scope, "registry", env=env)
    group, packages = registry.name, registry.packages_arn
    processing = config.evaluation.processing
    training = Training(
        scope,
        "training",
        dataset=config.dataset,
        config=config.training_of_algorithm,
        tuning=config.tuning,
        network=config.network,
        env=env,
        stores=stores,
        image_parameter=image.parameter_name,
        image_arn=image.pull_arn,
        held_out_channel=None if processing is None else processing.channel,
        least_instances={"dev": config.dev.least_instances, "production": config.production.least_instances},
    )
    deployment = Deployment(
        scope,
        "deployment",
        dev=config.dev,
        production=config.production,
        env=env,
        stores=stores,
        image_arn=image.pull_arn,
        answers=config.algorithm.answers,
        network=config.network,
    )
    evaluation = Evaluation(
        scope,
        "evaluation",
        config=config.evaluation,
        env=env,
        stores=stores,
        group=group,
        packages_arn=packages,
        production_stack=deployment.production_endpoint,
        stack_parameters=deployment.stack_parameters,
        training_jobs_arn=training.jobs_arn,
        image_arn=image.pull_arn,
    )
    approval = Approval(
        scope,
        "approval",
        config=config.approval,
        env=env,
        stores=stores,
        group=group,
        packages_arn=packages,
        production=config.production,
        production_stack=deployment.production_endpoint,
    )
    releases = Releases(
        scope,
        "releases",
        env=env,
        stores=stores,
        packages_arn=packages,
        production_endpoint=deployment.production_endpoint,
    )
    return Parts(image, registry, training, evaluation, deployment, approval, releases)
