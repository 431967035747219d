"""The container of a model: its definition, with the credentials of its role, and its model archive."""

from __future__ import annotations

import tarfile
from typing import TYPE_CHECKING, Any

from mlops_constructs.local_aws.containers.images import ContainerError
from mlops_constructs.local_aws.roles import assume_as
from mlops_constructs.local_aws.sagemaker.job_files import download, split_s3_uri
from mlops_constructs.local_aws.sagemaker.model_limits import check_download, check_volume
from mlops_constructs.local_aws.sagemaker.role_use import check_resources

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from mlops_constructs.local_aws.account import Account
    from mlops_constructs.local_aws.service import Params


def model_of(account: Account, name: str, session: str, key: str | None) -> tuple[Params, dict[str, Any]]:
    """The container definition of a model, and its execution role's credentials.

    Args:
        account: The account.
        name: The model.
        session: Name of the role's session.
        key: The key that encrypts the volumes, or None.

    Raises:
        ContainerError: The model has several containers, or its role lacks a permission for the VPC or the key.
    """
    model = account.client("sagemaker").describe_model(ModelName=name)
    credentials = assume_as(account, "sagemaker.amazonaws.com", model["ExecutionRoleArn"], session)
    check_resources(account, credentials, model.get("VpcConfig"), key)
    containers = model.get("Containers", []) or [model.get("PrimaryContainer", {})]
    if len(containers) != 1:
        raise ContainerError(f"the model {name} is an inference pipeline; the local AWS supports one container")
    definition: Params = containers[0]
    if "ModelPackageName" in definition:
        package = account.client("sagemaker").describe_model_package(ModelPackageName=definition["ModelPackageName"])
        definition = {**package["InferenceSpecification"]["Containers"][0], **definition}
    return definition, credentials


def fetch_model(
    account: Account, uri: str | None, folder: Path, credentials: Mapping[str, Any], variant: Params | None = None
) -> None:
    """Download and unpack a model archive into a new folder, with the role's credentials.

    ``variant`` is the production variant whose instance takes the model; None for one that takes any.
    """
    folder.mkdir(parents=True)
    if not uri:
        return
    bucket, key = split_s3_uri(uri)
    archive = folder.parent / "model.tar.gz"
    download(account.client("s3", credentials), bucket, key, archive)
    if variant is not None:
        check_download(uri, archive.stat().st_size, variant)
        check_volume(uri, archive, variant)
    try:
        extract_model(archive, folder)
    except ContainerError as error:
        raise ContainerError(f"{uri}: {error}") from error
    archive.unlink()


def extract_model(archive: Path, folder: Path) -> None:
    """Unpack a model archive. Raises `ContainerError` when it is not an archive, or has paths outside its folder."""
    try:
        with tarfile.open(archive, "r:*") as tar:
            tar.extractall(folder, filter="data")
    except (tarfile.TarError, EOFError, OSError) as error:
        raise ContainerError(f"the model archive cannot be extracted: {error}") from error
