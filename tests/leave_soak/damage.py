"""What is left in disorder when somebody wants to leave."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from leave_soak.site import Site


def _resources(site: Site, kind: str) -> Iterator[dict[str, Any]]:
    for name in site.stacks:
        if site.stack(name) is not None:
            for one in site.client("cloudformation").describe_stack_resources(StackName=name)["StackResources"]:
                if one["ResourceType"] == kind and one["ResourceStatus"] != "DELETE_COMPLETE":
                    yield one


def delete_endpoint(site: Site) -> None:
    """Delete the production endpoint past its stack."""
    try:
        site.client("sagemaker").delete_endpoint(EndpointName=site.production)
    except ClientError:
        return  # It does not exist, or is being changed.


def delete_models(site: Site) -> None:
    """Delete a model past its stack."""
    for one in _resources(site, "AWS::SageMaker::Model"):
        site.client("sagemaker").delete_model(ModelName=one["PhysicalResourceId"].rpartition("/")[2])
        return


def delete_alarms(site: Site) -> None:
    """Delete the alarms past their stack."""
    for one in _resources(site, "AWS::CloudWatch::Alarm"):
        site.client("cloudwatch").delete_alarms(AlarmNames=[one["PhysicalResourceId"]])


def deregister(site: Site) -> None:
    """Deregister the scalable targets past their stack."""
    for one in _resources(site, "AWS::ApplicationAutoScaling::ScalableTarget"):
        resource, dimension, namespace = one["PhysicalResourceId"].split("|")
        site.client("application-autoscaling").deregister_scalable_target(
            ServiceNamespace=namespace, ResourceId=resource, ScalableDimension=dimension
        )


def forget_stack(site: Site) -> None:
    """Delete the production stack, and retain all that it has."""
    stack = site.stack(site.production)
    if stack is not None:
        site.settle()
        for one in stack.resources.values():
            one.retained = True
        site.client("cloudformation").delete_stack(StackName=site.production)
        site.settle()


def fail_deletion(site: Site) -> None:
    """Let the stack be one that cannot delete its endpoint."""
    stack = site.stack(site.production)
    if stack is not None and "Endpoint" in stack.resources:
        stack.resources["Endpoint"].attributes["EndpointName"] = "longer than 63 characters " * 3
    _become(site, "DELETE_FAILED")


def keep_busy(site: Site) -> None:
    """Let the stack be changed for a moment."""
    stack = site.stack(site.production)
    if stack is not None and stack.status.endswith("_COMPLETE"):
        before = stack.status
        stack.move_to("UPDATE_IN_PROGRESS", "it was made to be")
        threading.Timer(2.0, lambda: stack.move_to(before, "it was made to be")).start()


def fail_rollback(site: Site) -> None:
    """Let the stack be one that could not be rolled back."""
    _become(site, "UPDATE_ROLLBACK_FAILED")


def fail_creation(site: Site) -> None:
    """Let the stack be one whose creation could not be rolled back."""
    _become(site, "ROLLBACK_FAILED")


def change_weights(site: Site) -> None:
    """Begin to change the weights, and do not wait."""
    endpoint = site.run.world.endpoint()
    if endpoint.get("EndpointStatus") == "InService":
        site.client("sagemaker").update_endpoint_weights_and_capacities(
            EndpointName=site.production,
            DesiredWeightsAndCapacities=[
                {"VariantName": one["VariantName"], "DesiredWeight": 3.0} for one in endpoint["ProductionVariants"]
            ],
        )


def queue_executions(site: Site) -> None:
    """Start executions that wait for their turn."""
    for _ in range(2):
        site.start()


def only_review(site: Site) -> None:
    """Let the DEV stack be only a change set."""
    if site.stack(site.dev) is None:
        site.client("cloudformation").create_change_set(
            StackName=site.dev,
            ChangeSetName="first",
            ChangeSetType="CREATE",
            TemplateBody='{"Resources": {"X": {"Type": "AWS::CloudWatch::Alarm", "Properties": {"Namespace": "x",'
            ' "MetricName": "x", "Statistic": "Sum", "Period": 60, "EvaluationPeriods": 1, "Threshold": 1,'
            ' "ComparisonOperator": "GreaterThanThreshold"}}}}',
        )


def _become(site: Site, status: str) -> None:
    stack = site.stack(site.production)
    if stack is not None and not stack.in_progress:
        stack.move_to(status, "it was made to be")


DAMAGE: dict[str, Callable[[Site], None]] = {
    one.__name__: one
    for one in (
        delete_endpoint,
        delete_models,
        delete_alarms,
        deregister,
        forget_stack,
        fail_deletion,
        fail_rollback,
        fail_creation,
        keep_busy,
        change_weights,
        queue_executions,
        only_review,
    )
}
