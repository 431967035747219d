"""What somebody does by hand, past the pipeline, and how it is undone."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from ab_soak.account import ARTIFACTS
from ab_soak.pipeline import record_bytes
from handler_kit.ab_record import other

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ab_soak.world import World

    # Undoes an edit.
    Undo = Callable[[], None]


def weigh(world: World) -> Undo | None:
    """Change the weights."""
    weights = world.weights()
    changes = [{"VariantName": name, "DesiredWeight": 3.0 if name == "primary" else 2.0} for name in weights]
    world.account.client("sagemaker").update_endpoint_weights_and_capacities(
        EndpointName=world.pipeline.production, DesiredWeightsAndCapacities=changes
    )
    world.settle()
    _mark(world)
    return lambda: None


def swap_endpoint(world: World) -> Undo | None:
    """Let the other slot, or the only one, serve another model, by UpdateEndpoint."""
    record, sagemaker = world.record(), world.account.client("sagemaker")
    if record.champion is None:
        return None
    before = world.endpoint()["EndpointConfigName"]
    config = sagemaker.describe_endpoint_config(EndpointConfigName=before)
    name, model = f"hand-{world.pipeline.name}", world.account.models[-1]
    container = {"Image": model.image, "ModelDataUrl": model.data}
    sagemaker.create_model(
        ModelName=name, ExecutionRoleArn=world.account.static["ExecutionRoleArn"], PrimaryContainer=container
    )
    variants = config["ProductionVariants"]
    variants[-1] = {**variants[-1], "ModelName": name}
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=variants)
    _update_endpoint(world, name)

    def undo() -> None:
        _update_endpoint(world, before)
        sagemaker.delete_endpoint_config(EndpointConfigName=name)
        sagemaker.delete_model(ModelName=name)

    return undo


def drop_variant(world: World) -> Undo | None:
    """Take the other slot out of the endpoint, and not out of the stack."""
    record, sagemaker = world.record(), world.account.client("sagemaker")
    if record.champion is None or record.challenger is None or record.challenger.parameters["Autoscales"] == "true":
        return None
    before, name = world.endpoint()["EndpointConfigName"], f"hand-{world.pipeline.name}"
    config = sagemaker.describe_endpoint_config(EndpointConfigName=before)
    variants = [one for one in config["ProductionVariants"] if one["VariantName"] == record.champion.slot]
    if len(variants) == len(config["ProductionVariants"]):
        return None
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=variants)
    _update_endpoint(world, name)

    def undo() -> None:
        _update_endpoint(world, before)
        _weigh_again(world)
        sagemaker.delete_endpoint_config(EndpointConfigName=name)

    return undo


def swap_champion(world: World) -> Undo | None:
    """Let the champion's slot serve another model, by UpdateStack."""
    record = world.record()
    return None if record.champion is None else _swap(world, record.champion.slot)


def swap_challenger(world: World) -> Undo | None:
    """Let the challenger's slot serve another model, by UpdateStack."""
    record = world.record()
    return None if record.challenger is None else _swap(world, record.challenger.slot)


def drop_slot(world: World) -> Undo | None:
    """Take the other slot out of the stack."""
    record, before = world.record(), dict(world.stack().parameters)
    if record.champion is None or before["Slots"] != "both":
        return None
    prefix = other(record.champion.slot).capitalize()
    unscaled = {**before, f"{prefix}Autoscales": "false"}
    _update_stack(world, unscaled)
    _update_stack(world, {**unscaled, "Slots": record.champion.slot, "IsGuarded": "false"})

    def undo() -> None:
        _update_stack(world, {**unscaled, "IsGuarded": "false"})
        _update_stack(world, {**before, "IsGuarded": "false"})
        _weigh_again(world)

    return undo


def delete_record(world: World) -> Undo | None:
    """Delete the record."""
    before = record_bytes(world.account, world.pipeline.name)
    if not before:
        return None
    world.account.client("s3").delete_object(Bucket=ARTIFACTS, Key=world.key)
    world.accept_record()
    return lambda: _put(world, before)


def restore_record(world: World) -> Undo | None:
    """Restore an older version of the record."""
    versions = world.account.client("s3").list_object_versions(Bucket=ARTIFACTS, Prefix=world.key).get("Versions", [])
    before = record_bytes(world.account, world.pipeline.name)
    if len(versions) < 4 or not before:
        return None
    version = versions[len(versions) // 2]["VersionId"]
    old = world.account.client("s3").get_object(Bucket=ARTIFACTS, Key=world.key, VersionId=version)["Body"].read()
    _mark(world)
    _put(world, old)
    _mark(world)
    return lambda: _put(world, before)


EDITS: dict[str, Callable[[World], Undo | None]] = {
    "weigh": weigh,
    "swap endpoint": swap_endpoint,
    "drop variant": drop_variant,
    "swap champion": swap_champion,
    "swap challenger": swap_challenger,
    "drop slot": drop_slot,
    "delete record": delete_record,
    "restore record": restore_record,
}


@contextmanager
def by_hand(world: World, name: str) -> Iterator[Undo | None]:
    """Make an edit, which no fault disturbs; yields what undoes it, or None where it cannot be made."""
    with world.account.calls.process(None):
        test = world.record().test
        if test is not None:
            world.tests_by_hand.add(test.id)
        yield EDITS[name](world)


def _mark(world: World) -> None:
    """Remember that weights, or segments, are not what the record says."""
    world.weighed_by_hand = True
    test = world.record().test
    if test is not None:
        world.tests_by_hand.add(test.id)


def _swap(world: World, slot: str) -> Undo:
    before, model, prefix = dict(world.stack().parameters), world.account.models[-1], slot.capitalize()
    given = {"Image": model.image, "ModelDataUrl": model.data, "ModelPackageArn": model.package}
    _update_stack(world, {**before, **{f"{prefix}{name}": value for name, value in given.items()}})
    return lambda: _update_stack(world, before)


def _put(world: World, body: bytes) -> None:
    world.account.client("s3").put_object(Bucket=ARTIFACTS, Key=world.key, Body=body)
    world.accept_record()


def _update_stack(world: World, parameters: dict[str, str]) -> None:
    request: dict[str, Any] = world.pipeline.stage.request(parameters)
    try:
        world.account.client("cloudformation").update_stack(StackName=world.pipeline.production, **request)
    except ClientError as error:
        if "No updates" not in str(error):
            raise
    world.settle()


def _update_endpoint(world: World, config: str) -> None:
    world.account.client("sagemaker").update_endpoint(
        EndpointName=world.pipeline.production, EndpointConfigName=config, RetainAllVariantProperties=True
    )
    world.settle()


def _weigh_again(world: World) -> None:
    """Set the weights of the record, for a variant that has come back with its initial one."""
    changes = [{"VariantName": name, "DesiredWeight": weight} for name, weight in world.record().weights.items()]
    world.account.client("sagemaker").update_endpoint_weights_and_capacities(
        EndpointName=world.pipeline.production, DesiredWeightsAndCapacities=changes
    )
    world.settle()
