"""The conditions under which a function may start a SageMaker job."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..config._instances import has_own_disks
from .network import is_list_token

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from .environment import Environment

Conditions = dict[str, dict[str, object]]
# Condition keys that SageMaker has renamed.
_RENAMED = {
    "sagemaker:OutputKmsKey": "sagemaker:OutputKmsKeyArn",
    "sagemaker:VolumeKmsKey": "sagemaker:VolumeKmsKeyArn",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class JobBounds:
    """What a job may cost, and where it may send data.

    Attributes:
        instance_types: Instance types that it may have.
        max_runtime_in_seconds: Longest runtime.
        network_isolation: Whether its container must be isolated from the network.
        encrypted_traffic: Whether the traffic between its instances must be encrypted.
    """

    instance_types: Sequence[str]
    max_runtime_in_seconds: int
    network_isolation: bool
    encrypted_traffic: bool = False

    def conditions(self, env: Environment) -> Iterator[Conditions]:
        """Yield the conditions of one statement each: instances with disks of their own get no key for them."""
        key = env.stores.key_arn
        common: Conditions = {
            "NumericLessThanEquals": {"sagemaker:MaxRuntimeInSeconds": str(self.max_runtime_in_seconds)},
            "ArnEquals": {"sagemaker:OutputKmsKey": key},
        }
        if self._flags:
            common["Bool"] = self._flags
        keys = {False: {"ArnEquals": {**common["ArnEquals"], "sagemaker:VolumeKmsKey": key}}, True: {}}
        for own_disks, volume in keys.items():
            types = [one for one in self.instance_types if has_own_disks(one) is own_disks]
            if types:
                listed = {"sagemaker:InstanceTypes": types, **_network(env)}
                # ForAllValues is true when the request does not contain the key at all.
                present: dict[str, object] = dict.fromkeys(listed, "false")
                yield from _by_either_name(
                    {**common, **volume, "ForAllValues:StringEquals": listed, "Null": present},
                )

    @property
    def _flags(self) -> dict[str, object]:
        flags = {
            "sagemaker:NetworkIsolation": self.network_isolation,
            "sagemaker:InterContainerTrafficEncryption": self.encrypted_traffic,
        }
        return {name: "true" for name, flag in flags.items() if flag}


def _by_either_name(conditions: Mapping[str, Mapping[str, object]]) -> list[Conditions]:
    """Return the conditions twice: with SageMaker's deprecated condition keys for KMS keys, and with the current ones.

    The reference does not say from when on a request no longer contains the deprecated ones. A condition on a key that
    a request does not contain is false, so each name needs its own statement.
    https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsagemaker.html
    """
    former = {operator: dict(keys) for operator, keys in conditions.items()}
    now: Conditions = {
        operator: {_RENAMED.get(key, key): value for key, value in keys.items()} for operator, keys in former.items()
    }
    return [former, now]


def _network(env: Environment) -> dict[str, object]:
    if env.network is None:
        return {}
    ids = {
        "sagemaker:VpcSubnets": env.network.subnet_ids,
        "sagemaker:VpcSecurityGroupIds": env.network.security_group_ids,
    }
    # A reference to a whole list cannot be written into the text of a policy.
    return {key: list(value) for key, value in ids.items() if not is_list_token(value)}
