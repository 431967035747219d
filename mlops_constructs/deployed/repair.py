"""Create again what somebody deleted by hand of an endpoint, its configuration and its scaling.

CloudFormation believes that what it has created is still there. So it deletes it, which succeeds for what does not
exist, and creates it again. An endpoint configuration is created under its own name instead: SageMaker's UpdateEndpoint
needs the one that the endpoint has, and the endpoint goes on serving meanwhile.
https://github.com/hashicorp/terraform-provider-aws/issues/40048
"""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from ..errors import MlopsError
from .clients import code_of, explained
from .endpoint_stacks import occupied_slots
from .endpoints import option_of
from .stacks import PAUSED, RUNS

if TYPE_CHECKING:
    from .endpoint_stacks import EndpointStacks
    from .stacks import Stack

_PIPELINE_TAG = "mlops:pipeline"


class Repair:
    """Looks at one endpoint after the other."""

    def __init__(self, stacks: EndpointStacks) -> None:
        """Take the stacks of a pipeline."""
        self._stacks, self._client = stacks, stacks.client

    def run(self, stack: Stack) -> tuple[Stack, tuple[str, ...]]:
        """Repair the endpoint of a stack that is not paused; return the stack after it, and what was created again."""
        name, repaired = stack.parameters["EndpointName"], []
        endpoint = self._stacks.endpoint(name)
        if endpoint is None or endpoint["EndpointStatus"] == "Failed":
            now = datetime.now(timezone.utc).isoformat(timespec="seconds")
            stack = self._stacks.update(stack, PAUSED, now, f"the endpoint {name} is gone: its stack forgets it")
            stack = self._stacks.update(stack, PAUSED, RUNS, f"the endpoint {name} is being created")
            # Its scaling was created with it.
            return stack, (f"the endpoint {name}",)
        config = str(endpoint["EndpointConfigName"])
        if self._is_gone("describe_endpoint_config", EndpointConfigName=config):
            self._create_config(stack, endpoint)
            repaired.append(f"the endpoint configuration {config}")
        for variant, prefix in occupied_slots(stack).items():
            switch = f"{prefix}Autoscales"
            if stack.parameters.get(switch) == "true" and not self._scales(name, variant):
                stack = self._stacks.update(stack, switch, "false", f"{name} has no autoscaling: its stack forgets it")
                stack = self._stacks.update(stack, switch, "true", f"the autoscaling of {name} is being created")
                repaired.append(f"the autoscaling of {name}, variant {variant}")
        return stack, tuple(repaired)

    def _create_config(self, stack: Stack, endpoint: dict[str, Any]) -> None:
        request: dict[str, Any] = {
            "EndpointConfigName": endpoint["EndpointConfigName"],
            "ProductionVariants": [self._variant(stack, one) for one in endpoint["ProductionVariants"]],
            # With it, the role of the stack may delete it after the next release.
            "Tags": [{"Key": _PIPELINE_TAG, "Value": self._stacks.pipeline.name}],
        }
        if "AsyncInferenceConfig" in endpoint:
            request["AsyncInferenceConfig"] = endpoint["AsyncInferenceConfig"]
        with explained(f"the endpoint configuration {endpoint['EndpointConfigName']} could not be created"):
            self._client("sagemaker").create_endpoint_config(**request)

    def _variant(self, stack: Stack, found: dict[str, Any]) -> dict[str, Any]:
        name = found["VariantName"]
        prefix = occupied_slots(stack).get(name)
        if prefix is None:
            raise MlopsError(f"the stack {stack.name} has no variant {name}: somebody changed the endpoint by hand")
        variant = {"VariantName": name, "ModelName": self._model(stack, name)}
        if "InstanceType" not in (key.removeprefix(prefix) for key in stack.parameters):
            return {**variant, "InitialVariantWeight": 1.0, "ServerlessConfig": found["CurrentServerlessConfig"]}
        return {
            **variant,
            "InitialVariantWeight": found.get("CurrentWeight", 1.0),
            "InstanceType": stack.parameters[f"{prefix}InstanceType"],
            "InitialInstanceCount": max(1, found.get("CurrentInstanceCount", 1)),
        }

    def _model(self, stack: Stack, variant: str) -> str:
        """Return the name of a variant's model; its ARN, which CloudFormation knows, is in lower case."""
        logical_id = "SecondaryModel" if variant == "secondary" else "Model"
        with explained(f"the models of {stack.name} could not be looked up"):
            resources = self._client("cloudformation").describe_stack_resources(StackName=stack.id)["StackResources"]
            arn = next(one["PhysicalResourceId"] for one in resources if one["LogicalResourceId"] == logical_id)
            pages = self._client("sagemaker").get_paginator("list_models").paginate()
            for page in pages:
                for model in page["Models"]:
                    if arn in (model["ModelArn"], model["ModelName"]):
                        return str(model["ModelName"])
        pipeline = self._stacks.pipeline
        raise MlopsError(
            f"the model of {stack.name} was deleted too, so only a release brings back what is gone: `mlops pause"
            f" {pipeline.name}{option_of(pipeline, stack.name)} --yes`, then upload a data set; callers get an error"
            " until it is released"
        )

    def _scales(self, endpoint: str, variant: str) -> bool:
        with explained(f"the autoscaling of {endpoint} could not be looked up"):
            found = self._client("application-autoscaling").describe_scalable_targets(
                ServiceNamespace="sagemaker", ResourceIds=[f"endpoint/{endpoint}/variant/{variant}"]
            )
        return bool(found["ScalableTargets"])

    def _is_gone(self, operation: str, **name: str) -> bool:
        from botocore.exceptions import ClientError

        with explained(f"{', '.join(name.values())} could not be looked up"):
            try:
                getattr(self._client("sagemaker"), operation)(**name)
            except ClientError as error:
                if code_of(error) == "ValidationException" and "not find" in str(error):
                    return True
                raise
        return False
