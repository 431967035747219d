"""The CloudWatch dashboard of a pipeline."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from constructs import Construct

from ..._aws.naming import dead_letters_name
from ..._cdk import Fn
from ...provider import cloudwatch_dashboard
from .modes import SHOWN
from .widgets import Json, graph, metric, placed, search, states, text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..._aws.environment import Environment
    from ...config.serving import Mode

# What CodePipeline publishes: https://docs.aws.amazon.com/codepipeline/latest/userguide/metrics-dimensions.html
_CODEPIPELINE = "AWS/CodePipeline"
# https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-monitoring.html
_EVENTS = "AWS/Events"
_LAMBDA, _SQS = "AWS/Lambda", "AWS/SQS"
_HOUR = 3600


class DashboardStage(Construct):
    """The dashboard, which shows the week before.

    Attributes:
        dashboard: The dashboard.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        env: Environment,
        production_endpoint: str,
        dev_endpoint: str,
        variants: Sequence[str],
        modes: Mapping[str, Mode],
        max_server_error_percent: float | None,
        reached: Mapping[str, str],
        release_namespace: str,
        alarms: Sequence[str],
    ) -> None:
        """Make the dashboard, after everything that it shows.

        Args:
            scope: Construct it belongs to; ``id_`` is its id in there.
            env: Where it is deployed, with the names of all functions and pipelines.
            production_endpoint: Name of the production endpoint.
            dev_endpoint: Name of the DEV endpoint; its variant has the name of production's first one.
            variants: Names of production's variants.
            modes: Environment (``dev``, ``production``) to how its endpoint serves.
            max_server_error_percent: Percentage of 5XX errors above which a rollout is rolled back, or None.
            reached: Pipeline stage to the name of a function that it invokes once for each execution; the last one
                is of a release.
            release_namespace: Namespace of the metrics of the releases.
            alarms: ARNs of the alarms.
        """
        super().__init__(scope, id_)
        region = env.region
        production = SHOWN[modes["production"]](
            title="Production",
            name=production_endpoint,
            variants=variants,
            region=region,
            max_server_error_percent=max_server_error_percent,
        )
        dev = SHOWN[modes["dev"]](title="DEV", name=dev_endpoint, variants=variants[:1], region=region)
        rows = [
            [_head(env.name, production_endpoint, dev_endpoint)],
            [states("Alarms", alarms)],
            *production.rows(),
            [_releases(env, release_namespace), _reached(env, reached)],
            [_executions(env, list(reached.values())[-1]), _durations(env), _dead_letters(env)],
            [_functions(env, "errors"), _functions(env, "duration")],
            *dev.rows(),
        ]
        self.dashboard = cloudwatch_dashboard.CloudwatchDashboard(
            self,
            "dashboard",
            # Dashboards are those of an account, not of a region.
            dashboard_name=f"{env.name}-{region}",
            dashboard_body=json.dumps({"start": "-P7D", "periodOverride": "auto", "widgets": placed(rows)}),
        )


def _head(pipeline: str, production: str, dev: str) -> Json:
    return text(
        f"# {pipeline}\n"
        f"The pipeline `{pipeline}`, its endpoints `{production}` and `{dev}`, over a week. A graph without lines had"
        " no requests, or there is no endpoint yet. `docs/operations.md` says what each graph means and what to do.",
        height=3,
    )


def _releases(env: Environment, namespace: str) -> Json:
    """The names of the metrics are those of the algorithm, and are not known at synth."""
    found = f"SEARCH('{{{namespace},Pipeline}} Pipeline=\"{env.name}\"', 'Maximum', {_HOUR})"
    return graph(
        "Metrics of the releases", env.region, [search("metrics", found, _HOUR)], unit="value", period_seconds=_HOUR
    )


def _reached(env: Environment, reached: Mapping[str, str]) -> Json:
    """CodePipeline has no metrics of stages; each of these functions is invoked once when an execution reaches it."""
    lines = [
        metric(_LAMBDA, "Invocations", {"FunctionName": name}, id_=f"stage_{number}", stat="Sum", label=stage)
        for number, (stage, name) in enumerate(reached.items())
    ]
    return graph("Stages that executions reached", env.region, lines, unit="executions", period_seconds=_HOUR)


def _executions(env: Environment, release_function: str) -> Json:
    """CodePipeline counts only what failed, so the rest is counted by what it caused."""
    started = {"RuleName": f"{env.name}-on-upload"}
    ended = {"RuleName": f"{env.name}-on-early-end"}
    released = {"FunctionName": release_function}
    lines = [
        metric(_EVENTS, "Invocations", started, id_="started", stat="Sum", label="started by an upload"),
        metric(_LAMBDA, "Invocations", released, id_="released", stat="Sum", label="released"),
        metric(_EVENTS, "Invocations", ended, id_="ended", stat="Sum", label="failed or stopped"),
    ]
    for number, name in enumerate(env.artifact_folders.values()):
        dimensions = {"PipelineName": name}
        label = f"failed: {name}"
        lines.append(
            metric(
                _CODEPIPELINE, "FailedPipelineExecutions", dimensions, id_=f"failed_{number}", stat="Sum", label=label
            )
        )
    return graph("Executions", env.region, lines, unit="executions")


def _durations(env: Environment) -> Json:
    lines = [
        metric(
            _CODEPIPELINE, "PipelineDuration", {"PipelineName": name}, id_=f"took_{number}", stat="Maximum", label=name
        )
        for number, name in enumerate(env.artifact_folders.values())
    ]
    return graph("Duration of an execution, approval included", env.region, lines, unit="s")


def _dead_letters(env: Environment) -> Json:
    own = not env.stores.queue_is_existing
    name = dead_letters_name(env.name) if own else Fn.element(Fn.split(":", env.stores.dead_letter_arn), 5)
    return graph(
        "Dead letters: events and invocations that could not be delivered",
        env.region,
        [
            metric(
                _SQS,
                "ApproximateNumberOfMessagesVisible",
                {"QueueName": name},
                id_="messages",
                stat="Maximum",
                label="messages",
            )
        ],
        unit="messages",
    )


def _functions(env: Environment, what: str) -> Json:
    name, stat, unit = ("Errors", "Sum", "errors") if what == "errors" else ("Duration", "Maximum", "ms")
    lines = [
        metric(_LAMBDA, name, {"FunctionName": function}, id_=f"function_{number}", stat=stat, label=short)
        for number, (function, short) in enumerate(
            (one, one.removeprefix(f"{env.name}-")) for one in sorted(env.functions)
        )
    ]
    return graph(f"Functions: {what}", env.region, lines, unit=unit)
