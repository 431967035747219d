"""What a mode of serving excludes in the other parts of a pipeline."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import Problem
from .requests import EndpointLimits

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .ab_test import ABTest
    from .cost import Cost
    from .endpoint import Endpoint
    from .network import Network
    from .requests import Requests


def serving_problems(
    endpoints: Mapping[str, Endpoint],
    *,
    network: Network | None,
    ab_test: ABTest | None,
    cost: Cost,
    requests: Requests,
) -> Iterator[Problem]:
    """Yield what does not fit the endpoints ``dev`` and ``production``.

    https://docs.aws.amazon.com/sagemaker/latest/dg/serverless-endpoints.html#serverless-endpoints-how-it-works-exclusions
    """
    for name, endpoint in endpoints.items():
        if endpoint.mode == "serverless":
            yield from _serverless_problems(name, network, cost, getattr(requests, name))
    mode = endpoints["production"].mode
    if ab_test is not None and mode != "real-time":
        reasons = {
            "serverless": "SageMaker does not support several variants on a serverless endpoint",
            "asynchronous": "InvokeEndpointAsync has no TargetVariant, and its response does not name the variant",
        }
        remedy = "leave it out, or use a real-time endpoint"
        yield Problem("ab_test", reasons[mode], f"a {mode} production endpoint", remedy)
    level = endpoints["dev"].smoke_test.confidence_level
    if level is not None and "asynchronous" in (endpoints["dev"].mode, mode):
        rule = "compares responses at once: an asynchronous endpoint has none"
        yield Problem("dev.smoke_test.confidence_level", rule, level, "leave it out")


def _serverless_problems(name: str, network: Network | None, cost: Cost, limits: EndpointLimits) -> Iterator[Problem]:
    instead = f"or use a {name} endpoint with instances"
    if network is not None:
        rule = f"SageMaker does not support a VPC for a serverless endpoint ({name})"
        yield Problem("network", rule, "Network", f"leave it out, {instead}")
    if cost.max_monthly_usd is not None:
        rule = f"cannot be held: what the serverless {name} endpoint costs depends on its requests"
        yield Problem("cost.max_monthly_usd", rule, cost.max_monthly_usd, f"leave it out, {instead}")
    if limits != EndpointLimits():
        rule = "a serverless endpoint has no instances, autoscaling or data capture that a data set could request"
        yield Problem(f"dataset.requests.{name}", rule, "EndpointLimits", f"leave it out, {instead}")
