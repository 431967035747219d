"""The Resource Groups Tagging API: finds models, endpoint configurations and endpoints by their tags."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from mlops_constructs.local_aws.service import AwsError, Params, Service

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# By resource type: operation, member of its response, and the ARN in each entry.
_LISTINGS = {
    "sagemaker:endpoint": ("list_endpoints", "Endpoints", "EndpointArn"),
    "sagemaker:endpoint-config": ("list_endpoint_configs", "EndpointConfigs", "EndpointConfigArn"),
    "sagemaker:model": ("list_models", "Models", "ModelArn"),
}


class ResourceTagsService(Service):
    """GetResources, at once consistent; on AWS a new or deleted resource may be missing or listed for a while.

    https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/API_GetResources.html
    """

    service_name: ClassVar[str] = "resourcegroupstaggingapi"

    def get_resources(self, params: Params) -> Params:
        """The resources of the given types with all the given tags."""
        types = params.get("ResourceTypeFilters", [])
        unknown = sorted({*types} - {*_LISTINGS})
        if unknown or not types:
            given = ", ".join(unknown) or "all types"
            raise AwsError("NotImplementedException", f"the local AWS does not find resources of {given} by tags", 501)
        found = [
            {"ResourceARN": arn, "Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}
            for arn, tags in self._tagged(types)
            if all(_matches(wanted, tags) for wanted in params.get("TagFilters", []))
        ]
        return {"PaginationToken": "", "ResourceTagMappingList": found}

    def _tagged(self, types: list[str]) -> Iterator[tuple[str, Mapping[str, str]]]:
        """A resource without tags is not listed."""
        sagemaker = self.account.client("sagemaker")
        for kind in types:
            operation, member, key = _LISTINGS[kind]
            for page in sagemaker.get_paginator(operation).paginate():
                for one in page[member]:
                    tags = self.account.access.tags_of(one[key])
                    if tags:
                        yield one[key], tags


def _matches(wanted: Params, tags: Mapping[str, str]) -> bool:
    values = wanted.get("Values", [])
    return wanted["Key"] in tags and (not values or tags[wanted["Key"]] in values)
