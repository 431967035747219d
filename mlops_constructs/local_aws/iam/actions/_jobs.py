"""The permissions that the creation of SageMaker's jobs and configurations needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..calls import Check
from ..request import Context
from ._rows import arn_of, key_checks, pass_role, request_tags, tagging

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from ..calls import Call, Facts

SERVICE = "sagemaker.amazonaws.com"


class Job:
    """A call that creates a job, or a configuration, with instances and keys.

    AWS renamed ``sagemaker:OutputKmsKey`` and ``VolumeKmsKey`` to ``OutputKmsKeyArn`` and ``VolumeKmsKeyArn`` and lists
    only the new names. Whether a request still carries the old ones is not documented, so the call is checked twice,
    once with each spelling, and both must pass.
    """

    def __init__(self, action: str, resource: str, read: Callable[[Mapping[str, Any]], Facets], role: str) -> None:
        self._action, self._resource, self._read = action, resource, read
        self._also = (*((pass_role(role, SERVICE),) if role else ()), tagging("sagemaker:AddTags", resource))

    def __call__(self, call: Call, facts: Facts) -> Iterable[Check]:
        asked = self._read(call.params)
        arn = arn_of(call, "sagemaker", self._resource)
        keys = {name: key for name, key in (("Volume", asked.volume_key), ("Output", asked.output_key)) if key}
        for ending in ("KmsKey", "KmsKeyArn") if keys else ("",):
            spelt = Context({f"sagemaker:{name}{ending}": key for name, key in keys.items()})
            yield Check(self._action, arn, request_tags(call).under(asked.context).under(spelt))
        if asked.volume_key:
            # SageMaker attaches the encrypted volumes by a grant that it creates with the caller's permissions:
            # https://docs.aws.amazon.com/sagemaker/latest/dg/api-permissions-reference.html
            grant = {"kms:GrantIsForAWSResource": "true"}
            yield from key_checks(asked.volume_key, call, "sagemaker", ["CreateGrant"], grant)
        for more in self._also:
            yield from more(call, facts)


class Facets:
    """The members of a job's request that condition keys refer to."""

    def __init__(
        self,
        params: Mapping[str, Any],
        *,
        resources: Mapping[str, Any] | None = None,
        instance_types: Iterable[str] = (),
        network: Mapping[str, Any] | None = None,
        vpc: Mapping[str, Any] | None = None,
        output: Mapping[str, Any] | None = None,
    ) -> None:
        resources, vpc, network = resources or {}, vpc or {}, network or params
        self.volume_key: str = resources.get("VolumeKmsKeyId", "")
        self.output_key: str = (output or {}).get("KmsKeyId", "")
        values: dict[str, str | list[str]] = {
            "sagemaker:InstanceTypes": list(instance_types),
            "sagemaker:VpcSubnets": list(vpc.get("Subnets", ())),
            "sagemaker:VpcSecurityGroupIds": list(vpc.get("SecurityGroupIds", ())),
        }
        flags = {
            "sagemaker:NetworkIsolation": network.get("EnableNetworkIsolation"),
            "sagemaker:InterContainerTrafficEncryption": network.get("EnableInterContainerTrafficEncryption"),
        }
        values |= {key: str(flag).lower() for key, flag in flags.items() if flag is not None}
        longest = params.get("StoppingCondition", {}).get("MaxRuntimeInSeconds")
        values |= {"sagemaker:MaxRuntimeInSeconds": str(longest)} if longest is not None else {}
        self.context = Context(values)
