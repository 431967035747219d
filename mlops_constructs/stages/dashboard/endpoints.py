"""What the dashboard shows of an endpoint.

https://docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from ...config.serving import COUNTED
from .widgets import Json, expression, graph, metric

if TYPE_CHECKING:
    from collections.abc import Sequence

_INVOKED, _INSTANCES = "AWS/SageMaker", "/aws/sagemaker/Endpoints"
_PERCENTILES = ("p50", "p90", "p99")
_ERRORS = {"4XX": "Invocation4XXErrors", "5XX": "Invocation5XXErrors"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownEndpoint:
    """An endpoint on the dashboard.

    Attributes:
        title: What it is, for people.
        name: Its name.
        variants: Its production variants; of two, each line says which one it is of.
        region: Its region.
        max_server_error_percent: Percentage of 5XX errors above which a rollout is rolled back, or None.
    """

    title: str
    name: str
    variants: Sequence[str]
    region: str
    max_server_error_percent: float | None = None
    # The metric and the statistic that count its requests.
    counted: ClassVar[tuple[str, str]] = COUNTED["real-time"]

    def rows(self) -> list[list[Json]]:
        """Return its widgets: traffic, latency and errors; then shares of the invocations, instances and their load."""
        below = [self._instances(), self._load()]
        return [[self._invocations(), self._latency(), self._errors()], [*self._shares(), *below]]

    def _invocations(self) -> Json:
        name, stat = self.counted
        lines = [self._metric(name, one, id_=f"requests_{one}", stat=stat, label=one) for one in self.variants]
        return self._graph("invocations", lines, unit="requests", stacked=True)

    def _shares(self) -> list[Json]:
        """Of two variants, the share of each; ``SUM`` of a list skips a variant that has no data."""
        if len(self.variants) == 1:
            return []
        requests = {one: f"requests_{one}" for one in self.variants}
        together = f"SUM([{', '.join(requests.values())}])"
        lines = [self._metric("Invocations", one, id_=id_, stat="Sum") for one, id_ in requests.items()]
        lines += [expression(f"share_{one}", f"100 * {id_} / {together}", one) for one, id_ in requests.items()]
        return [self._graph("share of the invocations", lines, unit="%", stacked=True)]

    def _latency(self) -> Json:
        lines: list[list[Any]] = []
        for one in self.variants:
            for stat in _PERCENTILES:
                id_ = f"{stat}_{one}"
                lines.append(self._metric("ModelLatency", one, id_=id_, stat=stat))
                # The metric is in microseconds.
                lines.append(expression(f"ms_{id_}", f"{id_} / 1000", self._label(stat, one)))
        return self._graph("latency of the model", lines, unit="ms")

    def _errors(self) -> Json:
        lines: list[list[Any]] = []
        for one in self.variants:
            requests = f"requests_{one}"
            name, stat = self.counted
            lines.append(self._metric(name, one, id_=requests, stat=stat))
            for kind, name in _ERRORS.items():
                id_ = f"errors_{kind.lower()}_{one}"
                lines.append(self._metric(name, one, id_=id_, stat="Sum"))
                # A minute without errors may have no error metric.
                rate = f"100 * FILL({id_}, 0) / {requests}"
                lines.append(expression(f"rate_{kind.lower()}_{one}", rate, self._label(kind, one)))
        limit = self.max_server_error_percent
        marks = None if limit is None else {"5XX: a rollout is rolled back above": limit}
        return self._graph("errors", lines, unit="% of the requests", lines=marks)

    def _instances(self) -> Json:
        """Every request reports 1 divided by the number of instances, so the quotient of the sums is that number."""
        lines: list[list[Any]] = []
        for one in self.variants:
            requests, per_instance = f"requests_{one}", f"per_instance_{one}"
            lines.append(self._metric("Invocations", one, id_=requests, stat="Sum"))
            lines.append(self._metric("InvocationsPerInstance", one, id_=per_instance, stat="Sum"))
            lines.append(expression(f"instances_{one}", f"{requests} / {per_instance}", one))
        return self._graph("instances, while there are requests", lines, unit="instances")

    def _load(self) -> Json:
        names = {"CPU": "CPUUtilization", "memory": "MemoryUtilization"}
        lines = [
            self._metric(
                name, one, id_=f"{kind.lower()}_{one}", stat="Average", label=self._label(kind, one), of=_INSTANCES
            )
            for one in self.variants
            for kind, name in names.items()
        ]
        return self._graph("load of an instance (each CPU counts 100 %)", lines, unit="%")

    def _label(self, what: str, variant: str) -> str:
        return what if len(self.variants) == 1 else f"{what} {variant}"

    def _metric(
        self, name: str, variant: str, *, id_: str, stat: str, label: str | None = None, of: str = _INVOKED
    ) -> list[Any]:
        dimensions = {"EndpointName": self.name, "VariantName": variant}
        return metric(of, name, dimensions, id_=id_, stat=stat, label=label)

    def _graph(self, what: str, metrics: Sequence[list[Any]], **options: Any) -> Json:
        return graph(f"{self.title}: {what}", self.region, metrics, **options)
