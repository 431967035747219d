"""The alarms on lost events, as plain data: neither their target nor the dead-letter queue took them.

Nothing but these metrics tells of them.
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-monitoring.html
https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..._aws.environment import Environment

# "A hard limit": https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-limits.html
_MAX_METRICS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """A metric that counts lost events.

    Attributes:
        id_: Its id in the expression.
        name: The rule or function that lost them.
        namespace: Namespace of the metric.
        metric: Its name.
        dimension: Name of the dimension that has the rule or the function.
    """

    id_: str
    name: str
    namespace: str
    metric: str
    dimension: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LostEventsAlarm:
    """An alarm that rings when the sum of counts was above 0 in one of the periods of the last hour.

    A metric of Lambda has the time at which the function was invoked, and is sent after three attempts of up to 15
    minutes each and the pauses between them: an alarm that looked at the last period only would miss it.
    https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics.html

    Attributes:
        id_: Construct id.
        name: Its name.
        description: What it means, and what to do.
        counts: What is added up.
        label: Name of the sum.
        threshold: The alarm rings above it.
        periods: Number of periods that are looked at.
        datapoints: Number of periods among them with a sum above the threshold.
    """

    id_: str
    name: str
    description: str
    counts: Sequence[Count]
    label: str = "Lost events"
    threshold: float = 0
    periods: int = 12
    datapoints: int = 1

    @property
    def expression(self) -> str:
        """The sum; without a loss there is no metric."""
        return " + ".join(f"FILL({one.id_}, 0)" for one in self.counts)


def lost_events_alarms(env: Environment, queue_name: str | None) -> Iterator[LostEventsAlarm]:
    """Yield as few alarms as can look at every rule and at every function that a rule invokes.

    What a pipeline invokes is not among them: an action whose function does not report fails, which people are told.

    Args:
        env: Where the pipeline is deployed, with the names of its rules and functions.
        queue_name: Name of the dead-letter queue, or None if it is an existing one.
    """
    of_rules = ("AWS/Events", "InvocationsFailedToBeSentToDlq", "RuleName", sorted(env.rules))
    of_functions = ("AWS/Lambda", "DeadLetterErrors", "FunctionName", sorted(set(env.invoked_by_rules)))
    counts = [
        Count(id_=f"{kind}_{number}", name=name, namespace=namespace, metric=metric, dimension=dimension)
        for kind, (namespace, metric, dimension, names) in (("rule", of_rules), ("function", of_functions))
        for number, name in enumerate(names, start=1)
    ]
    for number, first in enumerate(range(0, len(counts), _MAX_METRICS), start=1):
        some = counts[first : first + _MAX_METRICS]
        yield LostEventsAlarm(
            id_=f"lost_events_{number}",
            name=f"{env.name}-lost-events-{number}",
            description=_description(env, queue_name or env.stores.dead_letter_arn, some),
            counts=some,
        )


def _description(env: Environment, queue: str, counts: Sequence[Count]) -> str:
    kinds = {"RuleName": "rules", "FunctionName": "functions"}
    watched = "; ".join(
        f"{kind} {', '.join(one.name.removeprefix(f'{env.name}-') for one in counts if one.dimension == dimension)}"
        for dimension, kind in kinds.items()
        if any(one.dimension == dimension for one in counts)
    )
    return (
        f"An event of the pipeline {env.name} is lost: it could not be delivered or its function failed, and the"
        f" dead-letter queue {queue} did not take it either. The metrics of this alarm show when, and which of these"
        f" lost it: {watched}. Is the queue there? Do its policy and its key allow EventBridge and the roles of the"
        " functions to send messages? `terraform plan` shows what was changed by hand. Correct that first, or the next"
        f" event is lost too. Then do again what is missing: `mlops status {env.name}` shows what ran, `mlops logs"
        f" {env.name} functions` why a function failed."
    )
