"""Endpoint configurations, stored as they were sent; moto drops members and supports few instance types."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from mlops_constructs.local_aws.clock import utc_now
from mlops_constructs.local_aws.sagemaker.pages import page_of
from mlops_constructs.local_aws.sagemaker.updates import check_weights
from mlops_constructs.local_aws.service import AwsError, Params, Service

if TYPE_CHECKING:
    from mlops_constructs.local_aws.account import Account
    from mlops_constructs.local_aws.sagemaker.tags import Tags


class EndpointConfigs(Service):
    """The endpoint configurations of the account. They cannot be changed, only deleted."""

    service_name: ClassVar[str] = "sagemaker"

    def __init__(self, account: Account, tags: Tags) -> None:
        super().__init__(account)
        self._tags = tags
        self._configs: dict[str, Params] = {}

    def create_endpoint_config(self, params: Params) -> Params:
        """Store a configuration; its models must exist."""
        name = params["EndpointConfigName"]
        variants = params.get("ProductionVariants", [])
        names = [variant["VariantName"] for variant in variants]
        if len(set(names)) != len(names):
            raise AwsError("ValidationException", f"The variant names {', '.join(names)} must be unique.")
        check_weights(variant.get("InitialVariantWeight", 1.0) for variant in variants)
        for variant in variants:
            _check_variant(variant)
            self.account.client("sagemaker").describe_model(ModelName=variant["ModelName"])
        arn = self._arn(name)
        with self.lock:
            if name in self._configs:
                raise AwsError("ValidationException", f'Cannot create already existing endpoint configuration "{arn}".')
            self._configs[name] = {
                **{member: value for member, value in params.items() if member != "Tags"},
                "EndpointConfigArn": arn,
                "CreationTime": utc_now(),
            }
        self._tags.tag(arn, params)
        return {"EndpointConfigArn": arn}

    def describe_endpoint_config(self, params: Params) -> Params:
        """A configuration as it was created."""
        with self.lock:
            return dict(self._find(params["EndpointConfigName"]))

    def list_endpoint_configs(self, params: Params) -> Params:
        """Configurations, optionally filtered by name, the newest first."""
        with self.lock:
            chosen = [item for name, item in self._configs.items() if params.get("NameContains", "") in name]
        members = ("EndpointConfigName", "EndpointConfigArn", "CreationTime")
        summaries = [{member: item[member] for member in members} for item in reversed(chosen)]
        return page_of("EndpointConfigs", summaries, params)

    def delete_endpoint_config(self, params: Params) -> Params:
        """Delete a configuration."""
        with self.lock:
            arn: str = self._find(params["EndpointConfigName"])["EndpointConfigArn"]
            del self._configs[params["EndpointConfigName"]]
        self._tags.forget(arn)
        return {}

    def _find(self, name: str) -> Params:
        if name not in self._configs:
            raise AwsError("ValidationException", f'Could not find endpoint configuration "{self._arn(name)}".')
        return self._configs[name]

    def _arn(self, name: str) -> str:
        return self.account.arn("sagemaker", f"endpoint-config/{name.lower()}")


def _check_variant(variant: Params) -> None:
    name = variant["VariantName"]
    if "ModelName" not in variant:
        raise AwsError("ValidationException", f"the local AWS supports only variants with a ModelName; {name} has none")
    if ("InstanceType" in variant) == ("ServerlessConfig" in variant):
        raise AwsError("ValidationException", f"The variant {name} must have an InstanceType or a ServerlessConfig.")
    if "InstanceType" in variant and "InitialInstanceCount" not in variant:
        raise AwsError("ValidationException", f"The variant {name} must have an InitialInstanceCount.")
