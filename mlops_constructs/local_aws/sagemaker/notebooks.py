"""Notebook instances where moto forgets what they were made with."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from mlops_constructs.local_aws.service import Params, Service, without_metadata

if TYPE_CHECKING:
    from mlops_constructs.local_aws.account import Account

_FORGOTTEN = ("InstanceMetadataServiceConfiguration", "PlatformIdentifier", "IpAddressType")


class NotebookInstances(Service):
    """Notebook instances stay in moto, but for the members that it drops."""

    service_name: ClassVar[str] = "sagemaker"

    def __init__(self, account: Account) -> None:
        super().__init__(account)
        self._sent: dict[str, Params] = {}

    def after_create_notebook_instance(self, params: Params, _: dict[str, str]) -> None:
        """Remember what moto drops."""
        with self.lock:
            self._sent[params["NotebookInstanceName"]] = {key: params[key] for key in _FORGOTTEN if key in params}

    def describe_notebook_instance(self, params: Params) -> Params:
        """An instance, and what moto forgot."""
        answer = without_metadata(self.account.moto("sagemaker").describe_notebook_instance(**params))
        with self.lock:
            return {**answer, **self._sent.get(params["NotebookInstanceName"], {})}

    def after_delete_notebook_instance(self, params: Params, _: dict[str, str]) -> None:
        """Forget an instance."""
        with self.lock:
            self._sent.pop(params["NotebookInstanceName"], None)


class NotebookConfigurations(Service):
    """moto forgets the tags that a notebook lifecycle configuration is made with."""

    service_name: ClassVar[str] = "sagemaker"

    def after_create_notebook_instance_lifecycle_config(self, params: Params, _: dict[str, str]) -> None:
        """Tag it as an afterthought."""
        if not params.get("Tags"):
            return
        name = params["NotebookInstanceLifecycleConfigName"]
        sagemaker = self.account.client("sagemaker")
        found = sagemaker.describe_notebook_instance_lifecycle_config(NotebookInstanceLifecycleConfigName=name)
        sagemaker.add_tags(ResourceArn=found["NotebookInstanceLifecycleConfigArn"], Tags=params["Tags"])
