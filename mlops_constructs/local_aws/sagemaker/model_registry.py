"""The model registry, where moto's differs from AWS's: tokens, versions, partial updates and deletion."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, ClassVar

from moto.sagemaker.models import sagemaker_backends

from mlops_constructs.local_aws.service import AwsError, Params, Service, without_metadata

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_constructs.local_aws.account import Account


class ModelRegistry(Service):
    """Model packages and their groups; moto stores them."""

    service_name: ClassVar[str] = "sagemaker"

    def __init__(self, account: Account) -> None:
        super().__init__(account)
        self._made: dict[str, str] = {}
        self._deleted = Counter[str]()

    def create_model_package(self, params: Params) -> Params:
        """Create a model package; requests with the same ClientToken create only one."""
        token = params.get("ClientToken")
        with self.lock:
            if token is not None and token in self._made:
                return {"ModelPackageArn": self._made[token]}
            with self._deleted_counted(params.get("ModelPackageGroupName", "")):
                arn: str = self.account.moto("sagemaker").create_model_package(**params)["ModelPackageArn"]
            if token is not None:
                self._made[token] = arn
        return {"ModelPackageArn": arn}

    def list_model_packages(self, params: Params) -> Params:
        """List model packages, except while one is created."""
        with self.lock:
            return without_metadata(self.account.moto("sagemaker").list_model_packages(**params))

    def update_model_package(self, params: Params) -> Params:
        """Change the given members and keep the others; moto drops metadata that is not sent again."""
        moto = self.account.moto("sagemaker")
        with self.lock:
            before = moto.describe_model_package(ModelPackageName=params["ModelPackageArn"])
            sent = params.get("CustomerMetadataProperties", {})
            completed = {
                **params,
                "CustomerMetadataProperties": {**before.get("CustomerMetadataProperties", {}), **sent},
            }
            completed.setdefault("ModelApprovalStatus", before["ModelApprovalStatus"])
            if "ApprovalDescription" in before:
                completed.setdefault("ApprovalDescription", before["ApprovalDescription"])
            return without_metadata(moto.update_model_package(**completed))

    def delete_model_package(self, params: Params) -> Params:
        """Delete a model package by ARN."""
        arn = self.account.moto("sagemaker").describe_model_package(**params)["ModelPackageArn"]
        with self.lock:
            deleted = self._backend.model_packages.pop(arn, None)
            self._deleted[getattr(deleted, "model_package_group_name", None) or ""] += 1
            self._made = {token: made for token, made in self._made.items() if made != arn}
        return {}

    def delete_model_package_group(self, params: Params) -> Params:
        """Delete a model package group; rejected while it has model packages, as on AWS."""
        name = params["ModelPackageGroupName"].rsplit("/", 1)[-1]
        self.account.moto("sagemaker").describe_model_package_group(ModelPackageGroupName=name)
        with self.lock:
            packages = self._backend.model_packages.values()
            if any(package.model_package_group_name == name for package in packages):
                message = f"Model Package Group {name} cannot be deleted: it still has Model Packages."
                raise AwsError("ConflictException", message)
            self._backend.model_package_groups.pop(name, None)
            del self._deleted[name]
        return {}

    @contextmanager
    def _deleted_counted(self, group: str) -> Iterator[None]:
        """Let moto count the packages that were deleted: the next version is the number of those that it finds, plus 1.

        A version is incremented with each package, so one that was deleted does not come again.
        https://docs.aws.amazon.com/sagemaker/latest/dg/model-registry-models.html
        """
        packages = self._backend.model_packages
        places = [f"deleted {number}" for number in range(self._deleted[group])]
        packages.update((place, SimpleNamespace(model_package_group_name=group)) for place in places)
        try:
            yield
        finally:
            for place in places:
                del packages[place]

    @property
    def _backend(self) -> Any:
        # moto's API can delete neither model packages nor their groups
        return sagemaker_backends[self.account.account_id][self.account.region]
