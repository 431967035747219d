"""SageMaker's quotas for the instances that a stack runs.

A quota is found by its name, ``ml.m5.xlarge for training job usage``, as in the message when CreateTrainingJob
exceeds it (aws/amazon-sagemaker-examples #1543: "The account-level service limit 'ml.p3.8xlarge for training
job usage' is 2 Instances"). Spot training, warm pools, processing, endpoints and notebooks have quotas of their own.
New accounts have a quota of 0 for many types.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from ..doctor.finding import Finding
from .asking import asked

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from .demands import Demand

_SERVICE = "sagemaker"


def examine_quotas(service_quotas: Any, wanted: Sequence[Demand], region: str) -> Iterator[Finding]:
    """Compare the instances that run at the same time with the account's quotas.

    Instances that the account runs already count too; Service Quotas does not report them.

    Args:
        service_quotas: A client of Service Quotas in the pipeline's region.
        wanted: The instances that the stack runs.
        region: For the remedy.
    """
    quotas: dict[str, dict[str, Any]] = {}
    with asked("quotas", "servicequotas:ListServiceQuotas and ListAWSDefaultServiceQuotas") as problem:
        quotas = _quotas(service_quotas)
    if problem:
        yield from problem
        return
    together = defaultdict[str, list["Demand"]](list)
    for demand in wanted:
        together[f"{demand.instance_type} for {demand.usage} usage"].append(demand)
    for name, parts in together.items():
        yield _judge(name, quotas.get(name), parts, region)


def _quotas(client: Any) -> dict[str, dict[str, Any]]:
    """The applied quotas; AWS's default where the account has no value of its own.

    https://docs.aws.amazon.com/servicequotas/2019-06-24/apireference/API_ListServiceQuotas.html: "For some quotas, only
    the default values are available."
    """
    found: dict[str, dict[str, Any]] = {}
    for operation in ("list_aws_default_service_quotas", "list_service_quotas"):
        for page in client.get_paginator(operation).paginate(ServiceCode=_SERVICE):
            found |= {quota["QuotaName"]: quota for quota in page["Quotas"]}
    return found


def _judge(name: str, quota: Mapping[str, Any] | None, parts: Sequence[Demand], region: str) -> Finding:
    thing = f"quota {name}"
    first, peak = sum(part.first for part in parts), sum(part.peak for part in parts)
    why = ", ".join(sorted({part.part for part in parts}))
    if quota is None or "Value" not in quota:
        remedy = f"Check whether {region} offers the type: SageMaker has a quota for each type that a region offers."
        return Finding(thing, "warning", f"there is no such quota in {region}; {why} would use {peak}", remedy)
    value = int(quota["Value"])
    ask = (
        f"aws service-quotas request-service-quota-increase --region {region} --service-code {_SERVICE}"
        f" --quota-code {quota['QuotaCode']} --desired-value {peak}"
    )
    if value < first:
        return Finding(
            thing, "broken", f"{value}, the first release needs {first} ({why})", f"Request an increase: {ask}"
        )
    if value < peak:
        detail = f"{value}, enough for the first release ({first}), not for {peak} at most ({why})"
        return Finding(thing, "warning", detail, f"Request an increase before an update or a scale-out needs it: {ask}")
    return Finding(thing, "good", f"{value}, at most {peak} are used ({why})")
