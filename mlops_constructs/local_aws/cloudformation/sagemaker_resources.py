"""AWS::SageMaker::Model, EndpointConfig and Endpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from botocore.exceptions import ClientError

from mlops_constructs.local_aws.cloudformation.providers import (
    Context,
    Created,
    Provider,
    ResourceError,
    changed_names,
    update_tags,
)
from mlops_constructs.local_aws.cloudformation.request import request_for

if TYPE_CHECKING:
    from mlops_constructs.local_aws.service import Params

_POLL_SECONDS = 0.2


class ModelProvider(Provider):
    """A model. Everything but its tags is create-only."""

    type: ClassVar[str] = "AWS::SageMaker::Model"
    name_property: ClassVar[str | None] = "ModelName"
    update_in_place: ClassVar[frozenset[str]] = frozenset({"Tags"})

    def create(self, context: Context, properties: Params) -> Created:
        """CreateModel."""
        client = context.client("sagemaker")
        named = {"ModelName": context.generated_name, **properties}
        answer = client.create_model(**request_for(client, "CreateModel", named))
        return Created(answer["ModelArn"], {"ModelName": named["ModelName"]})

    def update(self, context: Context, physical_id: str, old: Params, new: Params) -> None:
        """Tags only."""
        update_tags(context.client("sagemaker"), physical_id, old, new)

    def delete(self, context: Context, physical_id: str, attributes: Params) -> None:
        """DeleteModel."""
        context.client("sagemaker").delete_model(ModelName=attributes["ModelName"])


class EndpointConfigProvider(Provider):
    """An endpoint configuration. Everything but its tags is create-only."""

    type: ClassVar[str] = "AWS::SageMaker::EndpointConfig"
    name_property: ClassVar[str | None] = "EndpointConfigName"
    update_in_place: ClassVar[frozenset[str]] = frozenset({"Tags"})

    def create(self, context: Context, properties: Params) -> Created:
        """CreateEndpointConfig."""
        client = context.client("sagemaker")
        named = {"EndpointConfigName": context.generated_name, **properties}
        answer = client.create_endpoint_config(**request_for(client, "CreateEndpointConfig", named))
        return Created(answer["EndpointConfigArn"], {"EndpointConfigName": named["EndpointConfigName"]})

    def update(self, context: Context, physical_id: str, old: Params, new: Params) -> None:
        """Tags only."""
        update_tags(context.client("sagemaker"), physical_id, old, new)

    def delete(self, context: Context, physical_id: str, attributes: Params) -> None:
        """DeleteEndpointConfig."""
        context.client("sagemaker").delete_endpoint_config(EndpointConfigName=attributes["EndpointConfigName"])


_UPDATE_ONLY = ("RetainAllVariantProperties", "ExcludeRetainedVariantProperties", "RetainDeploymentConfig")


class EndpointProvider(Provider):
    """An endpoint. It is created or updated as soon as it is InService with the requested configuration."""

    type: ClassVar[str] = "AWS::SageMaker::Endpoint"
    name_property: ClassVar[str | None] = "EndpointName"
    update_in_place: ClassVar[frozenset[str]] = frozenset(
        {"EndpointConfigName", "DeploymentConfig", "Tags", *_UPDATE_ONLY}
    )

    def create(self, context: Context, properties: Params) -> Created:
        """CreateEndpoint."""
        client = context.client("sagemaker")
        named = {"EndpointName": context.generated_name, **properties}
        # Only an update sends these members; they are checked now, so that the first deployment reports a mistake.
        update = {name: value for name, value in named.items() if name != "Tags"}
        request_for(client, "UpdateEndpoint", update)
        creation = {name: value for name, value in named.items() if name not in _UPDATE_ONLY}
        answer = client.create_endpoint(**request_for(client, "CreateEndpoint", creation))
        return Created(answer["EndpointArn"], {"EndpointName": named["EndpointName"]})

    def stabilize(self, context: Context, created: Created, properties: Params) -> None:
        """Wait for InService."""
        _await_in_service(context, created.attributes["EndpointName"], properties["EndpointConfigName"])

    def update(self, context: Context, physical_id: str, old: Params, new: Params) -> None:
        """UpdateEndpoint, if the configuration changes; a rollback by SageMaker is a failure."""
        client = context.client("sagemaker")
        name = new.get("EndpointName", physical_id.rsplit("/", 1)[-1])
        serving = client.describe_endpoint(EndpointName=name)
        if serving["EndpointConfigName"] != new["EndpointConfigName"]:
            request = {key: value for key, value in new.items() if key != "Tags"}
            client.update_endpoint(**request_for(client, "UpdateEndpoint", {**request, "EndpointName": name}))
            _await_in_service(context, name, new["EndpointConfigName"])
        if "Tags" in changed_names(old, new):
            update_tags(client, physical_id, old, new)

    def delete(self, context: Context, physical_id: str, attributes: Params) -> None:
        """DeleteEndpoint, and wait until the endpoint is deleted."""
        client = context.client("sagemaker")
        client.delete_endpoint(EndpointName=attributes["EndpointName"])
        while not context.closing.wait(_POLL_SECONDS):
            try:
                client.describe_endpoint(EndpointName=attributes["EndpointName"])
            except ClientError as error:
                if error.response["Error"]["Code"] != "ValidationException":
                    raise
                return


def _await_in_service(context: Context, name: str, config_name: str) -> None:
    client = context.client("sagemaker")
    endpoint: Any = client.describe_endpoint(EndpointName=name)
    while endpoint["EndpointStatus"] not in ("InService", "Failed", "OutOfService", "UpdateRollbackFailed"):
        if context.closing.wait(_POLL_SECONDS):
            raise ResourceError("the local AWS is closing")
        endpoint = client.describe_endpoint(EndpointName=name)
    if endpoint["EndpointStatus"] != "InService" or endpoint["EndpointConfigName"] != config_name:
        reason = endpoint.get("FailureReason", f"the endpoint is {endpoint['EndpointStatus']}")
        raise ResourceError(
            f"Resource of type 'AWS::SageMaker::Endpoint' with identifier '{name}' did not stabilize: {reason}"
        )
