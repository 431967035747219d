"""The model registry, where moto's differs from AWS's: tokens, partial updates and deletion."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from moto.sagemaker.models import sagemaker_backends

from mlops_constructs.local_aws.service import AwsError, Params, Service, without_metadata

if TYPE_CHECKING:
    from mlops_constructs.local_aws.account import Account


class ModelRegistry(Service):
    """Model packages and their groups; moto stores them."""

    service_name: ClassVar[str] = "sagemaker"

    def __init__(self, account: Account) -> None:
        super().__init__(account)
        self._made: dict[str, str] = {}

    def create_model_package(self, params: Params) -> Params:
        """Create a model package; requests with the same ClientToken create only one."""
        token = params.get("ClientToken")
        with self.lock:
            if token is not None and token in self._made:
                return {"ModelPackageArn": self._made[token]}
            arn: str = self.account.moto("sagemaker").create_model_package(**params)["ModelPackageArn"]
            if token is not None:
                self._made[token] = arn
        return {"ModelPackageArn": arn}

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
            self._backend.model_packages.pop(arn, None)
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
        return {}

    @property
    def _backend(self) -> Any:
        # moto's API can delete neither model packages nor their groups
        return sagemaker_backends[self.account.account_id][self.account.region]
