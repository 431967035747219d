"""Tags of the resources for which moto does not store tags."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from botocore.exceptions import ClientError

from mlops_constructs.local_aws.service import Params, PassToMotoError, Service

if TYPE_CHECKING:
    from mlops_constructs.local_aws.account import Account

_NOT_TAGGED_BY_MOTO = (
    *("training-job", "hyper-parameter-tuning-job", "processing-job", "endpoint", "endpoint-config"),
    "transform-job",
    "notebook-instance-lifecycle-config",
)


class Tags(Service):
    """Stores tags by ARN; moto stores the tags of the other kinds of resources."""

    service_name: ClassVar[str] = "sagemaker"

    def __init__(self, account: Account) -> None:
        super().__init__(account)
        self._tags: dict[str, dict[str, str]] = {}
        account.access.tags_of = self._tags_of

    def list_tags(self, params: Params) -> Params:
        """The tags of a resource."""
        with self.lock:
            return {"Tags": _as_list(self._own_tags(params["ResourceArn"]))}

    def add_tags(self, params: Params) -> Params:
        """Set tags; returns all of them."""
        with self.lock:
            tags = self._own_tags(params["ResourceArn"])
            tags.update({tag["Key"]: tag["Value"] for tag in params["Tags"]})
            return {"Tags": _as_list(tags)}

    def delete_tags(self, params: Params) -> Params:
        """Remove tags by key."""
        with self.lock:
            tags = self._own_tags(params["ResourceArn"])
            for key in params["TagKeys"]:
                tags.pop(key, None)
        return {}

    def tag(self, arn: str, params: Params) -> None:
        """Store the tags that a resource is created with."""
        with self.lock:
            self._own_tags(arn).update({tag["Key"]: tag["Value"] for tag in params.get("Tags", [])})

    def forget(self, arn: str) -> None:
        """Drop the tags of a deleted resource."""
        with self.lock:
            self._tags.pop(arn, None)

    def _tags_of(self, arn: str) -> dict[str, str]:
        """The tags of a SageMaker resource, stored here or in moto; none when the resource does not exist."""
        if arn.split(":")[2] != "sagemaker":
            return {}
        if _kind(arn) in _NOT_TAGGED_BY_MOTO:
            # A call names a resource as it was created; in its ARN the name is in lower case.
            with self.lock:
                return dict(self._tags.get(arn) or self._tags.get(arn.lower(), {}))
        try:
            listed = self.account.moto("sagemaker").list_tags(ResourceArn=_tagged(arn))["Tags"]
        except (AttributeError, ClientError):  # moto fails on the ARN of a model that does not exist
            return {}
        return {tag["Key"]: tag["Value"] for tag in listed}

    def _own_tags(self, arn: str) -> dict[str, str]:
        """The tags stored here. Raises `PassToMotoError` when moto stores the tags of this kind of resource."""
        if _kind(arn) not in _NOT_TAGGED_BY_MOTO:
            raise PassToMotoError
        return self._tags.setdefault(arn, {})


def _kind(arn: str) -> str:
    return arn.split(":", 5)[-1].split("/")[0]


def _tagged(arn: str) -> str:
    """The resource whose tags count: a model package in a group has the tags of the group.

    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateModelPackage.html
    """
    start, _, name = arn.partition(":model-package/")
    group, slash, _ = name.partition("/")
    return f"{start}:model-package-group/{group}" if slash else arn


def _as_list(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]
