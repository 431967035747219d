"""The parameters of the two change sets that bring the stack from one placement of the models to the next.

Three rules of SageMaker and CloudFormation shape them (docs/ab_tests.md has the table):

- A set of variants changes without a deployment policy, and nothing may follow the endpoint in such an update.
- The scalable target of a variant is deregistered in an update before the one that removes the variant.
- The weights in the template are those that the variants have, so that a rollback of the stack changes none.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from handler_kit.ab_record import SLOTS
from handler_kit.errors import StepError
from place_variants.observed import BOTH, OCCUPIED, PREFIXES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from handler_kit.ab_record import Deployed

SCALING = ("Autoscales", "MinCapacity", "MaxCapacity", "TargetValue", "ScaleInCooldown", "ScaleOutCooldown")
_SHARED = ("EncryptVolume", "CaptureSampling")
_MODEL = ("Image", "ModelDataUrl", "ModelPackageArn", "ExecutionId")
_EMPTY = "none"
GUARDED = "IsGuarded"


@dataclass(frozen=True)
class Place:
    """A model in a slot, for one change set.

    Attributes:
        model: The model.
        weight: Its weight in the template.
        scaling: Parameters of its autoscaling that replace its own.
    """

    model: Deployed
    weight: float
    scaling: Mapping[str, str] = field(default_factory=dict)

    def parameters(self) -> dict[str, str]:
        """Return its parameters, without the prefix of the slot."""
        model = self.model
        return {
            **{name: value for name, value in model.parameters.items() if name not in _SHARED},
            **self.scaling,
            "Image": model.image,
            "ModelDataUrl": model.model_data_url,
            "ModelPackageArn": model.model_package_arn,
            "ExecutionId": model.execution_id,
            "Weight": f"{self.weight:.6g}",
        }


@dataclass(frozen=True)
class ChangeSet:
    """What the stack has after a change set.

    Attributes:
        champion: The champion, with which the endpoint is tagged.
        places: The occupied slots.
        guarded: Whether an update of the endpoint has a deployment policy: only where the set of variants stays.
    """

    champion: Deployed
    places: tuple[Place, ...]
    guarded: bool

    def parameters(self, static: Mapping[str, str], fleet: Mapping[str, str], newest: Deployed) -> dict[str, str]:
        """Return all parameters of the template.

        Args:
            static: Those that every deployment gets: roles, key, names, network.
            fleet: The configured parameters of a slot, for a slot that is empty, and of the endpoint as a whole.
            newest: The model whose settings of the endpoint as a whole are used.
        """
        occupied = {place.model.slot: place.parameters() for place in self.places}
        own = {name: value for name, value in fleet.items() if name not in _SHARED}
        empty = {**own, **dict.fromkeys(_MODEL, _EMPTY), "Weight": "0"}
        slots = {
            f"{PREFIXES[slot]}{name}": value
            for slot in SLOTS
            for name, value in {**empty, **occupied.get(slot, {})}.items()
            if name in empty
        }
        encrypted = all(place.model.parameters.get("EncryptVolume", "true") == "true" for place in self.places)
        return {
            **static,
            **slots,
            OCCUPIED: BOTH if len(occupied) > 1 else next(iter(occupied)),
            "ModelPackageArn": self.champion.model_package_arn,
            "ExecutionId": self.champion.execution_id,
            # One key for the volumes of all variants; instances with disks of their own accept none.
            "EncryptVolume": "true" if encrypted else "false",
            "CaptureSampling": newest.parameters.get("CaptureSampling", fleet["CaptureSampling"]),
            GUARDED: "true" if self.guarded else "false",
        }


@dataclass(frozen=True)
class Placement:
    """The two change sets of an execution. Where one is enough, the second changes nothing.

    Attributes:
        first: The first.
        second: The second.
        newest: The model whose settings of the endpoint as a whole are used.
    """

    first: ChangeSet
    second: ChangeSet
    newest: Deployed

    def parameters(
        self, static: Mapping[str, str], fleet: Mapping[str, str], now: Mapping[str, str], *, has_policy: bool
    ) -> tuple[dict[str, str], dict[str, str]]:
        """Return the parameters of both change sets.

        Args:
            static: As for a change set.
            fleet: As for a change set.
            now: The parameters that the stack has now; empty without a stack.
            has_policy: Whether the template has a deployment policy.
        """
        first = _with_policy_of(now, self.first.parameters(static, fleet, self.newest))
        second = _with_policy_of(first, self.second.parameters(static, fleet, self.newest))
        if not has_policy:
            del first[GUARDED], second[GUARDED]
        return first, second


def _with_policy_of(before: Mapping[str, str], after: dict[str, str]) -> dict[str, str]:
    """Keep the deployment policy, or its absence, where nothing else of the endpoint changes.

    Whether CloudFormation would call UpdateEndpoint for a change of the policy alone is not documented.
    """
    of_scaling = {f"{prefix}{name}" for prefix in PREFIXES.values() for name in SCALING} | {GUARDED}
    same = all(before.get(name) == value for name, value in after.items() if name not in of_scaling)
    return {**after, GUARDED: before[GUARDED]} if same and GUARDED in before else after


_OFF = {"Autoscales": "false"}


def first_release(model: Deployed) -> Placement:
    """The first model: there is no endpoint yet."""
    only = ChangeSet(model, (Place(model, 1.0),), guarded=True)
    return Placement(only, only, model)


def arrival(champion: Deployed, model: Deployed, *, scaling_now: Mapping[str, str], busy: int) -> Placement:
    """A challenger comes into the empty slot, with the weight 0.

    Args:
        champion: The champion.
        model: The challenger.
        scaling_now: The champion's autoscaling in the stack now: it must not change with the set of variants.
        busy: The champion's number of instances now.
    """
    first = ChangeSet(champion, (Place(champion, 1.0, scaling_now), Place(model, 0.0, _OFF)), guarded=False)
    after = Place(champion, 1.0, _keeping(champion, busy))
    return Placement(first, ChangeSet(champion, (after, Place(model, 0.0)), guarded=False), model)


def replacement(champion: Deployed, model: Deployed, occupant: Deployed, *, scales_now: bool, busy: int) -> Placement:
    """Another challenger comes into the occupied slot; with another instance type, autoscaling is off in between."""
    kept = Place(champion, 1.0, _keeping(champion, busy))
    both = ChangeSet(champion, (kept, Place(model, 0.0)), guarded=True)
    if not (scales_now and _retypes(occupant, model)):
        return Placement(both, both, model)
    return Placement(ChangeSet(champion, (kept, Place(occupant, 0.0, _OFF)), guarded=True), both, model)


def rollback(champion: Deployed, model: Deployed, occupant: Deployed | None) -> Placement:
    """A model replaces the champion's in its slot; the other slot becomes empty.

    Raises StepError when two change sets are not enough for it.
    """
    place = Place(model, 1.0)
    retypes = champion.parameters.get("Autoscales") == "true" and _retypes(champion, model)
    if occupant is None:
        alone = ChangeSet(model, (place,), guarded=True)
        before = ChangeSet(champion, (Place(champion, 1.0, _OFF),), guarded=True)
        return Placement(before if retypes else alone, alone, model)
    if retypes:
        raise StepError(
            f"The release runs on another instance type than the champion, and the slot {occupant.slot} is still"
            " occupied. Remove that model first with `mlops ab abort PIPELINE`, then roll back."
        )
    both = ChangeSet(model, (place, Place(occupant, 0.0, _OFF)), guarded=True)
    return Placement(both, ChangeSet(model, (place,), guarded=False), model)


def clearing(champion: Deployed, occupant: Deployed | None) -> Placement:
    """The other slot becomes empty: after a promotion, or after the end of a test."""
    alone = ChangeSet(champion, (Place(champion, 1.0),), guarded=False)
    if occupant is None:
        return Placement(alone, alone, champion)
    both = (Place(champion, 1.0), Place(occupant, 0.0, _OFF))
    return Placement(ChangeSet(champion, both, guarded=True), alone, champion)


def _retypes(before: Deployed, after: Deployed) -> bool:
    return before.parameters.get("InstanceType") != after.parameters.get("InstanceType")


def _keeping(champion: Deployed, busy: int) -> dict[str, str]:
    """The champion's autoscaling during a test: never fewer instances than carry all requests, for an abort."""
    own = champion.parameters
    if own.get("Autoscales") != "true":
        return {}
    least, most = int(own["MinCapacity"]), int(own["MaxCapacity"])
    return {"MinCapacity": str(max(least, min(busy, most)))}
