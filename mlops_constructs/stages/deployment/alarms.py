"""The alarms that roll a deployment back; they watch only the fleet that is being deployed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...config.serving import COUNTED

if TYPE_CHECKING:
    from ...config import Rollout
    from ...config.serving import Mode
    from .slots import Slot

Json = dict[str, Any]
_ERRORS, _SLOW = "ServerErrors", "SlowAnswers"


def alarm_names(slot: Slot) -> dict[str, Json]:
    """Return the logical ids of a slot's alarms, with their names.

    Of two slots, both have their alarms at all times, with names of their own: the endpoint depends on them also where
    its deployment policy, which names them, is left out. Where a slot is empty, they have no data.
    """
    if slot.condition is None:
        return {slot.resource(name): {"Ref": slot.resource(name)} for name in (_ERRORS, _SLOW)}
    return {
        slot.resource(name): {"Fn::Sub": f"${{EndpointName}}-{slot.variant}-{suffix}"}
        for name, suffix in ((_ERRORS, "server-errors"), (_SLOW, "slow-answers"))
    }


def rollback_alarms(rollout: Rollout, slot: Slot, mode: Mode) -> Json:
    """Make the alarms on the rate of 5XX errors and on the latency of a slot's variant.

    SageMaker also publishes the metrics with the name of the endpoint configuration as a dimension. Without this
    dimension, an error of the old fleet would roll back a good release.
    https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-configuration.html
    """
    alarms = {
        slot.resource(_ERRORS): _too_many_errors(rollout, slot.variant, mode),
        slot.resource(_SLOW): _too_slow(rollout, slot.variant),
    }
    if slot.condition is not None:
        for logical_id, name in alarm_names(slot).items():
            alarms[logical_id]["Properties"]["AlarmName"] = name
    return alarms


def _too_many_errors(rollout: Rollout, variant: str, mode: Mode) -> Json:
    enough = f"requests >= {rollout.min_requests}"
    return _alarm(
        f"More than {rollout.max_server_error_percent} % of the requests of a minute to the endpoint"
        f" ${{EndpointName}}, variant {variant}, end in a server error; during a rollout, it is rolled back",
        {
            "EvaluationPeriods": 1,
            "Threshold": rollout.max_server_error_percent,
            "ComparisonOperator": "GreaterThanThreshold",
            "Metrics": [
                {
                    "Id": "rate",
                    "Label": "Server errors, percent of the requests",
                    # A minute without errors has no error metric; with few requests, a rate says nothing.
                    "Expression": f"IF({enough}, 100 * FILL(errors, 0) / requests, 0)",
                    "ReturnData": True,
                },
                _measured("errors", "Invocation5XXErrors", "Sum", variant),
                _measured("requests", *COUNTED[mode], variant),
            ],
        },
    )


def _too_slow(rollout: Rollout, variant: str) -> Json:
    return _alarm(
        f"The model of the endpoint ${{EndpointName}}, variant {variant}, takes longer than"
        f" {rollout.max_latency_ms} ms on average; during a rollout, it is rolled back",
        {
            "Namespace": "AWS/SageMaker",
            "MetricName": "ModelLatency",  # in microseconds
            "Dimensions": _new_fleet(variant),
            "Statistic": "Average",
            "Period": 60,
            "EvaluationPeriods": 2,
            "Threshold": rollout.max_latency_ms * 1000,
            "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        },
    )


def _alarm(description: str, properties: Json) -> Json:
    return {
        "Type": "AWS::CloudWatch::Alarm",
        "Properties": {
            "AlarmDescription": {"Fn::Sub": description},
            **properties,
            # Without traffic there is no reason to roll back.
            "TreatMissingData": "notBreaching",
        },
    }


def _measured(id_: str, name: str, statistic: str, variant: str) -> Json:
    metric = {"Namespace": "AWS/SageMaker", "MetricName": name, "Dimensions": _new_fleet(variant)}
    return {"Id": id_, "MetricStat": {"Metric": metric, "Period": 60, "Stat": statistic}, "ReturnData": False}


def _new_fleet(variant: str) -> list[Json]:
    return [
        {"Name": "EndpointName", "Value": {"Ref": "EndpointName"}},
        {"Name": "VariantName", "Value": variant},
        {"Name": "EndpointConfigName", "Value": {"Fn::GetAtt": ["EndpointConfig", "EndpointConfigName"]}},
    ]
