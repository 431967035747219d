"""Notebook instances, with the members and tags that moto drops."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from mlops_constructs.local_aws.service import Params, Service, without_metadata

if TYPE_CHECKING:
    from mlops_constructs.local_aws.account import Account

_FORGOTTEN = ("InstanceMetadataServiceConfiguration", "PlatformIdentifier", "IpAddressType")


class NotebookInstances(Service):
    """Stores the members of notebook instances that moto drops; moto stores the rest."""

    service_name: ClassVar[str] = "sagemaker"

    def __init__(self, account: Account) -> None:
        super().__init__(account)
        self._sent: dict[str, Params] = {}

    def after_create_notebook_instance(self, params: Params, _: dict[str, str]) -> None:
        """Store the members that moto drops."""
        with self.lock:
            self._sent[params["NotebookInstanceName"]] = {key: params[key] for key in _FORGOTTEN if key in params}

    def describe_notebook_instance(self, params: Params) -> Params:
        """A notebook instance, with the members that moto drops."""
        answer = without_metadata(self.account.moto("sagemaker").describe_notebook_instance(**params))
        with self.lock:
            return {**answer, **self._sent.get(params["NotebookInstanceName"], {})}

    def after_delete_notebook_instance(self, params: Params, _: dict[str, str]) -> None:
        """Drop the stored members of a deleted instance."""
        with self.lock:
            self._sent.pop(params["NotebookInstanceName"], None)


class NotebookConfigurations(Service):
    """Keeps the tags that a notebook lifecycle configuration is created with; moto drops them."""

    service_name: ClassVar[str] = "sagemaker"

    def after_create_notebook_instance_lifecycle_config(self, params: Params, _: dict[str, str]) -> None:
        """Add the tags after the creation."""
        if not params.get("Tags"):
            return
        name = params["NotebookInstanceLifecycleConfigName"]
        sagemaker = self.account.client("sagemaker")
        found = sagemaker.describe_notebook_instance_lifecycle_config(NotebookInstanceLifecycleConfigName=name)
        sagemaker.add_tags(ResourceArn=found["NotebookInstanceLifecycleConfigArn"], Tags=params["Tags"])
