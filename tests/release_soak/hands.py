"""What somebody does by hand, past the pipeline, and how it is taken back where no command of the pipeline mends it."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from collections.abc import Callable

    from release_soak.world import World

    # Takes it back when the run ends; None where nothing has to be taken back.
    Undo = Callable[[], object] | None


def delete_dev(world: World) -> Undo:
    """Delete the endpoint of DEV, behind the back of its stack."""
    for one in world.site.client("sagemaker").list_endpoints()["Endpoints"]:
        if one["EndpointName"].startswith(world.site.dev):
            world.site.client("sagemaker").delete_endpoint(EndpointName=one["EndpointName"])
    return None


def delete_alarms(world: World) -> Undo:
    """Delete the alarms of production's stack, which the next release makes anew."""
    stack = world.site.stack(world.site.production)
    if stack is not None:
        resources = world.site.client("cloudformation").describe_stack_resources(StackName=world.site.production)
        names = [
            one["PhysicalResourceId"]
            for one in resources["StackResources"]
            if one["ResourceType"] == "AWS::CloudWatch::Alarm"
        ]
        if names:
            world.site.client("cloudwatch").delete_alarms(AlarmNames=names)
    return None


def delete_package(world: World) -> Undo:
    """Delete the newest model package."""
    arn = _newest_package(world)
    if arn is not None:
        world.touched.add(arn)
        world.site.client("sagemaker").delete_model_package(ModelPackageName=arn)
    return None


def reject_package(world: World) -> Undo:
    """Reject the newest model package in the registry."""
    arn = _newest_package(world)
    if arn is not None:
        world.touched.add(arn)
        world.site.client("sagemaker").update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Rejected")
    return None


def damage_record(world: World) -> Undo:
    """Damage the newest release record."""
    world.site.damage_record()
    return None


def delete_data(world: World) -> Undo:
    """Delete the newest manifest and the objects that it names."""
    s3, bucket = world.site.client("s3"), world.site.deployed.data_bucket
    model = next(reversed(world.site.uploads.values()), ("", ""))[0]
    for name in ("train", "test", "golden"):
        s3.delete_object(Bucket=bucket, Key=f"data/{model}/{name}.csv")
    s3.delete_object(Bucket=bucket, Key=f"{world.site.deployed.prefix}set.json")
    return None


def delete_model(world: World) -> Undo:
    """Delete the archive of the model that production runs: its instances have it already."""
    record = next(iter(world.site.records()), None)
    if record is not None and record.get("model_data_url"):
        bucket, _, key = record["model_data_url"].removeprefix("s3://").partition("/")
        world.site.client("s3").delete_object(Bucket=bucket, Key=key)
        world.models_deleted.add(record["model_package_arn"])
    return None


def scale_production(world: World) -> Undo:
    """Change the number of production's instances."""
    sagemaker = world.site.client("sagemaker")
    for one in sagemaker.list_endpoints(StatusEquals="InService")["Endpoints"]:
        if one["EndpointName"].startswith(world.site.production):
            name = one["EndpointName"]
            (variant,) = sagemaker.describe_endpoint(EndpointName=name)["ProductionVariants"]
            count = {"VariantName": variant["VariantName"], "DesiredInstanceCount": 3}
            sagemaker.update_endpoint_weights_and_capacities(EndpointName=name, DesiredWeightsAndCapacities=[count])
    return None


def delete_configuration(world: World) -> Undo:
    """Delete the endpoint configuration of production, which its updates need."""
    _delete_configurations(world, world.site.production)
    return None


def delete_dev_configuration(world: World) -> Undo:
    """Delete the endpoint configuration of DEV, which its stack cannot delete any more."""
    _delete_configurations(world, world.site.dev)
    return None


def delete_production(world: World) -> Undo:
    """Delete the endpoint of production, behind the back of its stack."""
    sagemaker = world.site.client("sagemaker")
    for one in sagemaker.list_endpoints()["Endpoints"]:
        if one["EndpointName"].startswith(world.site.production):
            world.endpoint_touched = True
            sagemaker.delete_endpoint(EndpointName=one["EndpointName"])
    return None


def ring(world: World) -> Undo:
    """Let an alarm of production ring, until somebody has looked."""
    cloudwatch = world.site.client("cloudwatch")
    alarms = cloudwatch.describe_alarms(AlarmNamePrefix=world.site.production)["MetricAlarms"]
    for one in alarms[:1]:
        _set(cloudwatch, one["AlarmName"], "ALARM")
        return lambda: _quiet(cloudwatch, one["AlarmName"])
    return None


def delete_image(world: World) -> Undo:
    """Delete the parameter that names the image."""
    ssm, name = world.site.client("ssm"), f"/{world.site.name}/image"
    ssm.delete_parameters(Names=[name])
    return None


def restart_functions(world: World) -> Undo:
    """End every idle process of every function, as Lambda does whenever it likes."""
    world.site.aws.lambda_.end_idle()
    return None


HANDS: dict[str, Callable[[World], Any]] = {
    "delete dev": delete_dev,
    "delete alarms": delete_alarms,
    "delete package": delete_package,
    "reject package": reject_package,
    "damage record": damage_record,
    "delete data": delete_data,
    "delete model": delete_model,
    "delete configuration": delete_configuration,
    "delete dev configuration": delete_dev_configuration,
    "delete production": delete_production,
    "scale production": scale_production,
    "ring": ring,
    "delete image": delete_image,
    "restart functions": restart_functions,
}


def _delete_configurations(world: World, stack: str) -> None:
    sagemaker = world.site.client("sagemaker")
    for one in sagemaker.list_endpoints()["Endpoints"]:
        if one["EndpointName"].startswith(stack):
            name = sagemaker.describe_endpoint(EndpointName=one["EndpointName"])["EndpointConfigName"]
            # It may be gone already.
            with contextlib.suppress(ClientError):
                sagemaker.delete_endpoint_config(EndpointConfigName=name)


def _newest_package(world: World) -> str | None:
    listed = world.site.client("sagemaker").list_model_packages(
        ModelPackageGroupName=world.site.name, SortBy="CreationTime", SortOrder="Descending", MaxResults=1
    )["ModelPackageSummaryList"]
    return str(listed[0]["ModelPackageArn"]) if listed else None


def _quiet(cloudwatch: Any, name: str) -> None:
    """Let an alarm be OK again, unless somebody has deleted it meanwhile."""
    if cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]:
        _set(cloudwatch, name, "OK")


def _set(cloudwatch: Any, name: str, state: str) -> None:
    cloudwatch.set_alarm_state(AlarmName=name, StateValue=state, StateReason="by hand")
