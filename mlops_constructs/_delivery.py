"""The stages in their order, as one CodePipeline that an upload starts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._aws.actions import PipelineStage
from ._aws.pipeline import Pipeline
from ._aws.policy import allow
from .stages.releases import release_variable
from .stages.trigger import dataset_source, source_permissions, start_on_schedule, start_on_upload

if TYPE_CHECKING:
    from constructs import Construct

    from ._aws.environment import Environment
    from ._parts import Parts
    from .config import PipelineConfig


def deliver(scope: Construct, parts: Parts, config: PipelineConfig, env: Environment) -> Pipeline:
    """Make the pipeline: data set -> training -> gate -> DEV -> approval -> production."""
    training, evaluation, deployment = parts.training, parts.evaluation, parts.deployment
    approval, releases = parts.approval, parts.releases
    functions = [
        training.check_dataset,
        training.train_model,
        *evaluation.functions,
        deployment.dev_smoke_test,
        *approval.functions,
        deployment.production_smoke_test,
        releases.record_release,
    ]
    pipeline = Pipeline(
        scope,
        "delivery",
        name=env.name,
        purpose="pipeline",
        env=env,
        stages=[
            PipelineStage("Source", [dataset_source(config.dataset, env), deployment.source()]),
            *training.stages(),
            *evaluation.stages(),
            deployment.dev_stage(),
            approval.stage(),
            PipelineStage(
                "DeployProduction",
                [
                    approval.record(run_order=1),
                    *deployment.production_actions(run_order=2),
                    releases.action(run_order=5),
                ],
            ),
        ],
        permissions=[
            *source_permissions(config.dataset, env),
            allow("lambda:InvokeFunction", [function.arn for function in functions]),
            *deployment.pipeline_permissions(),
            *approval.pipeline_permissions(),
        ],
        variables=[release_variable()],
        after=[deployment.templates],
    )
    start_on_upload(pipeline, config.dataset, env)
    if config.dataset.schedule_expression is not None:
        start_on_schedule(pipeline, config.dataset, env, config.dataset.schedule_expression)
    return pipeline
