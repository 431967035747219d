"""Models: moto forgets whether they are isolated from the network."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from mlops_constructs.local_aws.service import Params, Service, without_metadata

if TYPE_CHECKING:
    from mlops_constructs.local_aws.account import Account


class Models(Service):
    """DescribeModel with EnableNetworkIsolation."""

    service_name: ClassVar[str] = "sagemaker"

    def __init__(self, account: Account) -> None:
        super().__init__(account)
        self._isolated: dict[str, bool] = {}

    def after_create_model(self, params: Params, headers: dict[str, str]) -> None:
        """Remember the member."""
        with self.lock:
            self._isolated[params["ModelName"]] = bool(params.get("EnableNetworkIsolation"))

    def describe_model(self, params: Params) -> Params:
        """A model as it was created."""
        answer = without_metadata(self.account.moto("sagemaker").describe_model(**params))
        with self.lock:
            return {**answer, "EnableNetworkIsolation": self._isolated.get(params["ModelName"], False)}
