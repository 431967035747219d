"""Tags of the resources that moto has none for."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from mlops_constructs.local_aws.service import Params, PassToMotoError, Service

if TYPE_CHECKING:
    from mlops_constructs.local_aws.account import Account

_NOT_TAGGED_BY_MOTO = (
    *("training-job", "hyper-parameter-tuning-job", "processing-job", "endpoint", "endpoint-config"),
    "notebook-instance-lifecycle-config",
)


class Tags(Service):
    """Keeps tags by ARN; those of other kinds of resources are moto's."""

    service_name: ClassVar[str] = "sagemaker"

    def __init__(self, account: Account) -> None:
        super().__init__(account)
        self._tags: dict[str, dict[str, str]] = {}

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
        """Keep the tags that a resource is made with."""
        with self.lock:
            self._own_tags(arn).update({tag["Key"]: tag["Value"] for tag in params.get("Tags", [])})

    def forget(self, arn: str) -> None:
        """Forget the tags of a resource that is deleted."""
        with self.lock:
            self._tags.pop(arn, None)

    def _own_tags(self, arn: str) -> dict[str, str]:
        """Raises `PassToMotoError` when moto keeps the tags of this kind of resource."""
        kind = arn.split(":", 5)[-1].split("/")[0]
        if kind not in _NOT_TAGGED_BY_MOTO:
            raise PassToMotoError
        return self._tags.setdefault(arn, {})


def _as_list(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]
