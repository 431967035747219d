"""Service Quotas: how many SageMaker instances the account may have, by type and use."""

from __future__ import annotations

import hashlib
from functools import cache
from typing import TYPE_CHECKING, ClassVar

import botocore.session
from botocore.model import StringShape

from mlops_constructs.local_aws.service import AwsError, Params, Service

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mlops_constructs.local_aws.account import Account

_SERVICE = "sagemaker"
# Each use, as the names of SageMaker's quotas word it, and the shape of the API that lists its instance types.
_TYPES: Mapping[str, str] = {
    "endpoint": "ProductionVariantInstanceType",
    "notebook instance": "InstanceType",
    "processing job": "ProcessingInstanceType",
    "spot training job": "TrainingInstanceType",
    "training job": "TrainingInstanceType",
    "training warm pool": "TrainingInstanceType",
    "transform job": "TransformInstanceType",
}
_INSTANCES = 20
_PAGE = 100


class ServiceQuotasService(Service):
    """The quotas of SageMaker; each is 20 until ``set`` changes it. AWS does not publish the values of new accounts.

    Only a quota that was ``set`` is enforced; 20 is the value of no real account.
    """

    service_name: ClassVar[str] = "service-quotas"

    def __init__(self, account: Account) -> None:
        super().__init__(account)
        self._values: dict[str, float] = {}

    def set(self, name: str, value: float) -> None:
        """Apply a value to the account, such as 0 to ``ml.m5.xlarge for training job usage``.

        Raises:
            KeyError: when SageMaker has no such quota.
        """
        with self.lock:
            if name not in quota_names():
                raise KeyError(name)
            self._values[name] = value

    def check_instances(self, instance_type: str, use: str, used: int, wanted: int) -> None:
        """Raise SageMaker's ResourceLimitExceeded when the quota of a use does not allow ``wanted`` more instances."""
        name = f"{instance_type} for {use} usage"
        with self.lock:
            limit = self._values.get(name)
        if limit is not None and used + wanted > limit:
            self.account.hooks.over_quota(name)
            raise AwsError(
                "ResourceLimitExceeded",
                f"The account-level service limit '{name}' is {limit:g} Instances, with current utilization of {used}"
                f" Instances and a request delta of {wanted} Instances. Please use AWS Service Quotas to request an"
                " increase for this quota.",
            )

    def list_service_quotas(self, params: Params) -> Params:
        """The applied values of the account: only the quotas that were ``set``."""
        with self.lock:
            return self._page(params, dict(self._values))

    def list_aws_default_service_quotas(self, params: Params) -> Params:
        """The default values, which every account has at first."""
        with self.lock:
            return self._page(params, dict.fromkeys(quota_names(), float(_INSTANCES)))

    def _page(self, params: Params, values: Mapping[str, float]) -> Params:
        if params["ServiceCode"] != _SERVICE:
            raise AwsError("NoSuchResourceException", "The local AWS has quotas of sagemaker only.")
        begin = int(params.get("NextToken", "0"))
        end = begin + int(params.get("MaxResults", _PAGE))
        page: Params = {"Quotas": [self._quota(name, values[name]) for name in list(values)[begin:end]]}
        return page | ({"NextToken": str(end)} if end < len(values) else {})

    def _quota(self, name: str, value: float) -> Params:
        code = f"L-{hashlib.sha256(name.encode()).hexdigest()[:8].upper()}"
        return {
            "ServiceCode": _SERVICE,
            "ServiceName": "Amazon SageMaker",
            "QuotaArn": self.account.arn("servicequotas", f"{_SERVICE}/{code}"),
            "QuotaCode": code,
            "QuotaName": name,
            "Value": value,
            "Unit": "None",
            "Adjustable": True,
            "GlobalQuota": False,
        }


@cache
def quota_names() -> tuple[str, ...]:
    """Return the names of SageMaker's quotas, such as ``ml.m5.xlarge for training job usage``."""
    return tuple(_names())


def _names() -> Iterator[str]:
    model = botocore.session.get_session().get_service_model(_SERVICE)
    for use, shape_name in _TYPES.items():
        shape = model.shape_for(shape_name)
        assert isinstance(shape, StringShape)
        yield from (f"{type_} for {use} usage" for type_ in shape.enum)
