"""The CodePipeline: all stages in order, started by an upload."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._aws.actions import PipelineStage
from ._aws.pipeline import Pipeline
from ._aws.policy import allow
from .stages.ab_test.stage import ab_test_variable
from .stages.releases import release_variable
from .stages.trigger import dataset_source, source_permissions, start_on_schedule, start_on_upload

if TYPE_CHECKING:
    from constructs import Construct

    from ._aws.environment import Environment
    from ._aws.function import Function
    from ._parts import Parts
    from .config import PipelineConfig


def deliver(scope: Construct, parts: Parts, config: PipelineConfig, env: Environment) -> Pipeline:
    """Create the pipeline: data set -> training -> gate -> DEV -> approval -> production."""
    pipeline = Pipeline(
        scope,
        "delivery",
        name=env.name,
        purpose="pipeline",
        env=env,
        stages=_stages(parts, config, env),
        permissions=[
            *source_permissions(config.dataset, env),
            allow("lambda:InvokeFunction", [function.arn for function in _functions(parts)]),
            *parts.deployment.pipeline_permissions(),
            *parts.approval.pipeline_permissions(),
        ],
        variables=[release_variable(), *([] if parts.ab_test is None else [ab_test_variable()])],
        after=[parts.deployment.templates],
    )
    start_on_upload(pipeline, config.dataset, env)
    if config.dataset.schedule_expression is not None:
        start_on_schedule(pipeline, config.dataset, env, config.dataset.schedule_expression)
    return pipeline


def _functions(parts: Parts) -> list[Function]:
    """Return the functions that the pipeline invokes."""
    return [
        parts.training.check_dataset,
        parts.training.train_model,
        *parts.evaluation.functions,
        *([] if parts.retirement is None else [parts.retirement.retire_dev]),
        parts.deployment.dev_smoke_test,
        *parts.approval.functions,
        parts.deployment.production_smoke_test,
        parts.releases.record_release,
        *([] if parts.ab_test is None else [parts.ab_test.place_variants]),
        *([] if parts.batch is None else [parts.batch.batch_smoke_test]),
        *([] if parts.monitoring is None else [parts.monitoring.make_baseline]),
    ]


def _stages(parts: Parts, config: PipelineConfig, env: Environment) -> list[PipelineStage]:
    approval, deployment = parts.approval, parts.deployment
    return [
        PipelineStage("Source", [dataset_source(config.dataset, env), deployment.source()]),
        *parts.training.stages(),
        *parts.evaluation.stages(),
        _dev_stage(parts),
        approval.stage(),
        _production_stage(parts),
    ]


def _dev_stage(parts: Parts) -> PipelineStage:
    stage = parts.deployment.dev_stage(None if parts.retirement is None else parts.retirement.action())
    test = stage.actions[-1].run_order
    also = [
        # Beside the smoke test of the endpoint, when the candidate is known to start.
        *([] if parts.batch is None else [parts.batch.action(run_order=test)]),
        # After the smoke test: the candidate responds, and nothing before needs its baseline.
        *([] if parts.monitoring is None else [parts.monitoring.action(run_order=test + 1)]),
    ]
    return PipelineStage(stage.name, [*stage.actions, *also])


def _production_stage(parts: Parts) -> PipelineStage:
    deployment, ab_test = parts.deployment, parts.ab_test
    actions = [parts.approval.record(run_order=1)]
    if ab_test is None:
        actions += [
            *deployment.change_set_actions(run_order=2),
            deployment.production_test(run_order=4),
            parts.releases.action(run_order=5),
        ]
    else:
        actions += [
            ab_test.plan(run_order=2),
            *deployment.change_set_actions(run_order=3, parameters="Variants::first.json"),
            *deployment.change_set_actions(run_order=5, suffix="SecondChangeSet", parameters="Variants::second.json"),
            deployment.production_test(run_order=7),
            ab_test.settle(run_order=8),
            parts.releases.action(run_order=9, role=ab_test.role),
        ]
    return PipelineStage("DeployProduction", actions)
