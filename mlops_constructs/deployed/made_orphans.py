"""What a pipeline made and no stack has: left by a failed deletion, or retained by somebody."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Any

from .clients import code_of, explained
from .made import Made

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from .made import Patience
    from .pipeline import DeployedPipeline

TAG = "mlops:pipeline"
# How the name of a template's alarm ends: with what CloudFormation adds, or as the template of an A/B test has it.
ALARM = r"[A-Z]\w*-\w{12,13}|(primary|secondary)-(server-errors|slow-answers)"
_MOVING = ("Creating", "Updating", "SystemUpdating", "RollingBack")
_NOT_FOUND = ("ValidationException", "ResourceNotFound", "ResourceNotFoundException", "ObjectNotFoundException")
# By type in an ARN: kind, method, and the member with the name. In the order in which SageMaker lets them go.
_SAGEMAKER = {
    "endpoint": ("endpoint", "endpoint", "EndpointName"),
    "endpoint-config": ("endpoint configuration", "endpoint_config", "EndpointConfigName"),
    "model": ("model", "model", "ModelName"),
}
_BY_TYPE = {
    "AWS::SageMaker::Endpoint": "endpoint",
    "AWS::SageMaker::EndpointConfig": "endpoint-config",
    "AWS::SageMaker::Model": "model",
}


class Orphans:
    """The endpoints, configurations, models, alarms and scalable targets of a pipeline that are in no stack."""

    def __init__(self, pipeline: DeployedPipeline, patience: Patience) -> None:
        """Prepare; nothing is called yet."""
        self._pipeline, self._patience = pipeline, patience

    def found(self, in_stacks: Collection[str]) -> Iterator[Made]:
        """Return them, in the order of the deletion.

        Args:
            in_stacks: Physical ids of what the stacks have; a scalable target's is ``RESOURCE|DIMENSION|NAMESPACE``.
        """
        kept = {_name_of(one) for one in in_stacks}
        for target in self._targets():
            if target["ResourceId"].lower() not in kept:
                yield Made("scalable target", target["ResourceId"], partial(self._deregister, target))
        for kind, name in self._tagged():
            if name.lower() not in kept:
                yield Made(_SAGEMAKER[kind][0], name, partial(self._delete, kind, name))
        for alarm in self._alarms():
            if alarm.lower() not in kept:
                yield Made("alarm", alarm, partial(self._delete_alarm, alarm))

    def delete_directly(self, resource_type: str, physical_id: str) -> None:
        """Delete what a stack could not delete; a type that is not here is left, and so named by ``found``."""
        kind = _BY_TYPE.get(resource_type)
        if kind is not None and physical_id:
            self._delete(kind, physical_id.rpartition("/")[2])
        elif resource_type == "AWS::CloudWatch::Alarm" and physical_id:
            self._delete_alarm(physical_id)

    def _tagged(self) -> Iterator[tuple[str, str]]:
        """Return kind and name of what has the pipeline's tag, and the endpoints that have the names of its stacks.

        An ARN has the name in lower case, and not every call takes that, so the names come from the lists. What was
        deleted a moment ago may still be found by its tag, and is in no list any more.
        """
        sagemaker = self._pipeline.client("sagemaker")
        for kind, (_, method, member) in _SAGEMAKER.items():
            noun = member.removesuffix("Name")
            arns = set(self._arns(kind))
            if not arns and kind != "endpoint":
                continue
            for page in sagemaker.get_paginator(f"list_{method}s").paginate():
                for one in page[f"{noun}s"]:
                    is_named = kind == "endpoint" and one[member] in self._pipeline.stacks
                    if is_named or one[f"{noun}Arn"].lower() in arns:
                        yield kind, one[member]

    def _arns(self, kind: str) -> Iterator[str]:
        pages = self._pipeline.client("resourcegroupstaggingapi").get_paginator("get_resources")
        wanted = [{"Key": TAG, "Values": [self._pipeline.name]}]
        for page in pages.paginate(TagFilters=wanted, ResourceTypeFilters=[f"sagemaker:{kind}"]):
            yield from (one["ResourceARN"].lower() for one in page["ResourceTagMappingList"])

    def _describe(self, kind: str, name: str) -> dict[str, Any] | None:
        from botocore.exceptions import ClientError

        _, method, member = _SAGEMAKER[kind]
        try:
            found: dict[str, Any] = getattr(self._pipeline.client("sagemaker"), f"describe_{method}")(**{member: name})
        except ClientError as error:
            if code_of(error) not in _NOT_FOUND:
                raise
            return None
        return found

    def _delete(self, kind: str, name: str) -> None:
        from botocore.exceptions import ClientError

        noun, method, member = _SAGEMAKER[kind]
        with explained(f"the {noun} {name} could not be deleted"):
            self._patience.until(
                lambda: self._status(kind, name) not in _MOVING, f"the {noun} {name} has been changing"
            )
            try:
                if self._status(kind, name) != "Deleting":
                    getattr(self._pipeline.client("sagemaker"), f"delete_{method}")(**{member: name})
            except ClientError as error:
                if code_of(error) not in _NOT_FOUND or self._status(kind, name) not in ("", "Deleting"):
                    raise
            self._patience.until(lambda: self._describe(kind, name) is None, f"the {noun} {name} has been in deletion")

    def _status(self, kind: str, name: str) -> str:
        """Return the status of an endpoint; of what has none, whether it exists, and nothing when it does not."""
        found = self._describe(kind, name)
        return "" if found is None else found.get("EndpointStatus", "Exists")

    def _targets(self) -> Iterator[dict[str, Any]]:
        pages = self._pipeline.client("application-autoscaling").get_paginator("describe_scalable_targets")
        for page in pages.paginate(ServiceNamespace="sagemaker"):
            for one in page["ScalableTargets"]:
                if one["ResourceId"].split("/")[1] in self._pipeline.stacks:
                    yield {key: one[key] for key in ("ServiceNamespace", "ResourceId", "ScalableDimension")}

    def _deregister(self, target: dict[str, Any]) -> None:
        """Deregister it, which also deletes its policies and scheduled actions."""
        from botocore.exceptions import ClientError

        with explained(f"the scalable target {target['ResourceId']} could not be deregistered"):
            try:
                self._pipeline.client("application-autoscaling").deregister_scalable_target(**target)
            except ClientError as error:
                if code_of(error) not in _NOT_FOUND:
                    raise

    def _alarms(self) -> Iterator[str]:
        """Return the alarms of the templates, by their names: those that Terraform made may begin likewise."""
        cloudwatch = self._pipeline.client("cloudwatch")
        for stack in self._pipeline.stacks:
            ours = re.compile(rf"{re.escape(stack)}-({ALARM})")
            for page in cloudwatch.get_paginator("describe_alarms").paginate(AlarmNamePrefix=f"{stack}-"):
                yield from (one["AlarmName"] for one in page["MetricAlarms"] if ours.fullmatch(one["AlarmName"]))

    def _delete_alarm(self, name: str) -> None:
        with explained(f"the alarm {name} could not be deleted"):
            self._pipeline.client("cloudwatch").delete_alarms(AlarmNames=[name])


def _name_of(physical_id: str) -> str:
    """Return what a physical id names, in lower case: the name in an ARN, or the resource of a scalable target."""
    if "|" in physical_id:
        return physical_id.partition("|")[0].lower()
    return (physical_id.rpartition("/")[2] if physical_id.startswith("arn:") else physical_id).lower()
