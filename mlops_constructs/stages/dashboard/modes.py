"""What the dashboard shows of endpoints that are not real-time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from ...config.serving import COUNTED
from .endpoints import ShownEndpoint
from .widgets import Json, expression, metric

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ...config.serving import Mode

_NAMESPACE = "AWS/SageMaker"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownServerless(ShownEndpoint):
    """A serverless endpoint: cold starts in the place of instances.

    https://docs.aws.amazon.com/sagemaker/latest/dg/serverless-endpoints-monitoring.html
    """

    def _instances(self) -> Json:
        lines: list[list[Any]] = []
        for one in self.variants:
            lines.append(self._metric("ModelSetupTime", one, id_=f"setup_{one}", stat="Maximum"))
            # The metric is in microseconds.
            lines.append(expression(f"ms_setup_{one}", f"setup_{one} / 1000", "longest"))
        return self._graph("cold starts", lines, unit="ms")

    def _load(self) -> Json:
        of = "/aws/sagemaker/Endpoints"
        lines = [
            self._metric("MemoryUtilization", one, id_=f"memory_{one}", stat="Maximum", label="memory", of=of)
            for one in self.variants
        ]
        return self._graph("memory of a container", lines, unit="%")


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownQueue(ShownEndpoint):
    """An asynchronous endpoint: it publishes no invocations, but its backlog.

    https://docs.aws.amazon.com/sagemaker/latest/dg/async-inference-monitor.html
    """

    counted: ClassVar[tuple[str, str]] = COUNTED["asynchronous"]

    def _instances(self) -> Json:
        names = {"requests": "ApproximateBacklogSize", "without an instance": "HasBacklogWithoutCapacity"}
        of_endpoint: Mapping[str, str] = {"EndpointName": self.name}
        lines = [
            metric(_NAMESPACE, name, of_endpoint, id_=f"queue_{number}", stat="Maximum", label=label)
            for number, (label, name) in enumerate(names.items())
        ]
        return self._graph("queue", lines, unit="requests")


SHOWN: Mapping[Mode, type[ShownEndpoint]] = {
    "real-time": ShownEndpoint,
    "serverless": ShownServerless,
    "asynchronous": ShownQueue,
}
