"""Endpoint configurations, kept as they were sent; moto forgets members and knows few instance types."""

from __future__ import annotations

import threading
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from mlops_constructs.local_aws.service import AwsError, Params

if TYPE_CHECKING:
    from mlops_constructs.local_aws.local_aws import LocalAws


class EndpointConfigs:
    """The endpoint configurations of the account. They cannot be changed, only deleted."""

    def __init__(self, aws: LocalAws) -> None:
        self._aws = aws
        self._lock = threading.RLock()
        self._configs: dict[str, Params] = {}

    def create(self, params: Params) -> Params:
        """Keep a configuration whose models exist."""
        name = params["EndpointConfigName"]
        variants = params.get("ProductionVariants", [])
        names = [variant["VariantName"] for variant in variants]
        if len(set(names)) != len(names):
            raise AwsError("ValidationException", f"The variant names {', '.join(names)} must be unique.")
        for variant in variants:
            _check_variant(variant)
            self._aws.client("sagemaker").describe_model(ModelName=variant["ModelName"])
        arn = self._arn(name)
        with self._lock:
            if name in self._configs:
                raise AwsError("ValidationException", f'Cannot create already existing endpoint configuration "{arn}".')
            self._configs[name] = {
                **{member: value for member, value in params.items() if member != "Tags"},
                "EndpointConfigArn": arn,
                "CreationTime": datetime.now(timezone.utc),
            }
        return {"EndpointConfigArn": arn}

    def describe(self, params: Params) -> Params:
        """A configuration as it was made."""
        with self._lock:
            return dict(self._find(params["EndpointConfigName"]))

    def list_configs(self, params: Params) -> Params:
        """The newest first, by name."""
        with self._lock:
            chosen = [item for name, item in self._configs.items() if params.get("NameContains", "") in name]
        members = ("EndpointConfigName", "EndpointConfigArn", "CreationTime")
        summaries = [{member: item[member] for member in members} for item in reversed(chosen)]
        return {"EndpointConfigs": summaries[: params.get("MaxResults", 100)]}

    def delete(self, params: Params) -> str:
        """Forget a configuration; returns its ARN."""
        with self._lock:
            arn: str = self._find(params["EndpointConfigName"])["EndpointConfigArn"]
            del self._configs[params["EndpointConfigName"]]
        return arn

    def _find(self, name: str) -> Params:
        if name not in self._configs:
            raise AwsError("ValidationException", f'Could not find endpoint configuration "{self._arn(name)}".')
        return self._configs[name]

    def _arn(self, name: str) -> str:
        return f"arn:aws:sagemaker:{self._aws.region}:{self._aws.account_id}:endpoint-config/{name.lower()}"


def _check_variant(variant: Params) -> None:
    name = variant["VariantName"]
    if "ModelName" not in variant:
        raise AwsError("ValidationException", f"the local AWS serves variants with a ModelName; {name} has none")
    if ("InstanceType" in variant) == ("ServerlessConfig" in variant):
        raise AwsError("ValidationException", f"The variant {name} must have an InstanceType or a ServerlessConfig.")
    if "InstanceType" in variant and "InitialInstanceCount" not in variant:
        raise AwsError("ValidationException", f"The variant {name} must have an InitialInstanceCount.")
