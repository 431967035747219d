"""The metrics that SageMaker publishes of each invocation.

https://docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html#cloudwatch-metrics-endpoint-invocation
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_constructs.local_aws.cloudwatch.metrics import Metric

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_constructs.local_aws.cloudwatch.metrics import Metrics
    from mlops_constructs.local_aws.sagemaker.fleet import Fleet, Variant

_NAMESPACE = "AWS/SageMaker"


def publish(
    metrics: Metrics, fleet: Fleet, variant: Variant, status: int, model_seconds: float, all_seconds: float, at: float
) -> None:
    """Publish one invocation that reached a variant.

    Args:
        metrics: Where it is published.
        fleet: The fleet of the variant.
        variant: The variant that was invoked.
        status: The HTTP status of the container's response; 5XX too when it did not respond.
        model_seconds: How long the container took.
        all_seconds: How long the request took, the container included.
        at: When it was answered, seconds since 1970.
    """
    microseconds = [round(seconds * 1_000_000) for seconds in (model_seconds, all_seconds - model_seconds)]
    values = {
        "Invocations": ("None", 1),
        "InvocationsPerInstance": ("None", 1 / (variant.instance_count or 1)),
        # 1 for each error, 0 for each other response: the average is the rate.
        "Invocation4XXErrors": ("None", int(400 <= status < 500)),
        "Invocation5XXErrors": ("None", int(status >= 500)),
        "InvocationModelErrors": ("None", int(not 200 <= status < 300)),
        "ModelLatency": ("Microseconds", microseconds[0]),
        "OverheadLatency": ("Microseconds", max(0, microseconds[1])),
    }
    data = [
        (Metric.of(_NAMESPACE, name, dimensions), unit, value)
        for dimensions in _dimensions(fleet, variant)
        for name, (unit, value) in values.items()
    ]
    metrics.publish(data, at)


def publish_setup(metrics: Metrics, fleet: Fleet, variant: Variant, seconds: float, at: float) -> None:
    """Publish how long a serverless variant took to start a container for a request; nothing where one was ready.

    https://docs.aws.amazon.com/sagemaker/latest/dg/serverless-endpoints-monitoring.html
    """
    if seconds:
        dimensions = {"EndpointName": fleet.endpoint_name, "VariantName": variant.name}
        metric = Metric.of(_NAMESPACE, "ModelSetupTime", dimensions)
        metrics.publish([(metric, "Microseconds", round(seconds * 1_000_000))], at)


def _dimensions(fleet: Fleet, variant: Variant) -> Iterator[dict[str, str]]:
    """Of the variant, and of the variant in this endpoint configuration: alarms may look at the new fleet only.

    https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-configuration.html
    """
    both = {"EndpointName": fleet.endpoint_name, "VariantName": variant.name}
    yield both
    yield {**both, "EndpointConfigName": fleet.config_name}
