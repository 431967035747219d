"""Models, model packages, notebook instances, and the tags of all SageMaker resources."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from botocore.exceptions import ClientError

from mlops_constructs.local_aws.constraints import keys
from mlops_constructs.local_aws.constraints.rule import Rule
from mlops_constructs.local_aws.ecr.manifests import is_missing, refused_manifest
from mlops_constructs.local_aws.roles import assume_as
from mlops_constructs.local_aws.service import AwsError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_constructs.local_aws.account import Account
    from mlops_constructs.local_aws.service import Params

_V = "ValidationException"
_MODEL, _VERSION, _NOTEBOOK = (f"sagemaker:Create{what}" for what in ("Model", "ModelPackage", "NotebookInstance"))
_TAGGED = tuple(
    f"sagemaker:Create{what}"
    for what in (
        "Endpoint",
        "EndpointConfig",
        "HyperParameterTuningJob",
        "Model",
        "ModelPackageGroup",
        "NotebookInstance",
        "ProcessingJob",
        "TrainingJob",
        "TransformJob",
    )
)


def _containers(params: Params) -> Iterator[Params]:
    if "PrimaryContainer" in params:
        yield params["PrimaryContainer"]
    yield from params.get("Containers", [])
    yield from params.get("InferenceSpecification", {}).get("Containers", [])


def _archives(params: Params, _: Account) -> str | None:
    for container in _containers(params):
        uri = container.get("ModelDataUrl", "")
        if uri and not uri.endswith(".tar.gz"):
            return f"ModelDataUrl must point to a single gzip compressed tar archive (.tar.gz suffix), got {uri}"
    return None


def _data(params: Params, account: Account) -> str | None:
    for container in _containers(params):
        parts = urlsplit(container.get("ModelDataUrl", ""))
        if parts.scheme == "s3" and not _is_object(account, parts.netloc, parts.path.lstrip("/")):
            return f"Could not find model data at {parts.geturl()}."
    return None


def _is_object(account: Account, bucket: str, key: str) -> bool:
    try:
        account.moto("s3").head_object(Bucket=bucket, Key=key)
    except ClientError:
        return False
    return True


def _images(params: Params, account: Account) -> str | None:
    for container in _containers(params):
        image = container.get("Image", "")
        if is_missing(account, image):
            return f"Requested image {image} not found."
        refused = refused_manifest(account, image)
        if refused is not None:
            return refused
    return None


def _role(member: str) -> Any:
    def problem(params: Params, account: Account) -> str | None:
        if member in params:
            try:
                assume_as(account, "sagemaker.amazonaws.com", params[member], "SageMaker")
            except AwsError as error:
                return error.message
        return None

    return problem


def _version_tags(params: Params, _: Account) -> str | None:
    if params.get("Tags") and params.get("ModelPackageGroupName"):
        return "Tags cannot be specified for a model package of a group: it uses the tags of the group."
    return None


def _internet(params: Params, _: Account) -> str | None:
    if params.get("DirectInternetAccess") == "Disabled" and not params.get("SubnetId"):
        return "DirectInternetAccess can be Disabled only with a SubnetId."
    return None


def _tags(params: Params, _: Account) -> str | None:
    names = [tag["Key"] for tag in params.get("Tags", [])]
    reserved = [name for name in names if name.lower().startswith("aws:")]
    if reserved:
        return f"Tag keys cannot start with aws:, which is reserved for AWS: {', '.join(reserved)}"
    return "Tag keys must be unique." if len(set(names)) < len(names) else None


_TAR = "ModelDataUrl: This path must point to a single gzip compressed tar archive (.tar.gz suffix)."
_ASSUME = "https://docs.aws.amazon.com/sagemaker/latest/dg/sagemaker-roles.html: SageMaker must be able to assume it"

RULES = (
    Rule((_MODEL, _VERSION), _V, _TAR, _archives),
    Rule((_MODEL,), _V, _ASSUME, _role("ExecutionRoleArn")),
    Rule((_NOTEBOOK,), _V, _ASSUME, _role("RoleArn")),
    Rule(
        (_MODEL,),
        _V,
        "https://github.com/aws/aws-step-functions-data-science-sdk-python/issues/61: Could not find model data",
        _data,
    ),
    Rule(
        (_MODEL,),
        _V,
        "https://github.com/aws-samples/easy-amazon-sagemaker-deployments/issues/4: Requested image not found; "
        "https://github.com/aws/amazon-sagemaker-feedback/issues/180: Unsupported manifest media type",
        _images,
    ),
    Rule(
        (_VERSION,),
        _V,
        "CreateModelPackage.Tags: If you supply ModelPackageGroupName, you cannot supply a tag argument.",
        _version_tags,
    ),
    Rule((_NOTEBOOK,), _V, "DirectInternetAccess: Disabled only if you set a value for SubnetId.", _internet),
    Rule((_NOTEBOOK,), _V, "CreateNotebookInstance.KmsKeyId: The KMS key must be enabled.", keys.exists_at("KmsKeyId")),
    Rule(
        _TAGGED,
        _V,
        "Tag.Key: Tag keys must be unique per resource; https://docs.aws.amazon.com/general/latest/gr/aws_tagging.html",
        _tags,
    ),
)
