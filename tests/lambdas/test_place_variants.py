"""What an execution does to the slots: the parameters of its change sets, and what a crash or a hand edit becomes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from place_variants.begin import begin, kind_of
from place_variants.observed import Endpoint as LiveEndpoint
from place_variants.observed import check_variants, slots_of
from place_variants.placement import (
    GUARDED,
    SCALING,
    Placement,
    arrival,
    clearing,
    first_release,
    replacement,
    rollback,
)
from place_variants.plan import Plan, Planned
from place_variants.production import Production
from place_variants.promote import Promotion
from place_variants.reconcile import reconcile
from place_variants.settings import Document, Params
from place_variants.settle import complete, sha256

from handler_kit import clients
from handler_kit.ab_record import (
    ABORTED,
    PRIMARY,
    REPLACED,
    RUNNING,
    SECONDARY,
    SLOTS,
    Deployed,
    Intent,
    Record,
    Segment,
)
from handler_kit.ab_record import Test as Trial
from handler_kit.ab_store import Store
from handler_kit.errors import ConfigurationError, StepError
from handler_kit.production import Stack
from mlops_constructs import ABTest, Autoscaling, Endpoint
from mlops_constructs.config.requests import AllowedEndpoint, EndpointLimits
from mlops_constructs.stages.ab_test.stage import placement_document
from mlops_constructs.stages.deployment.parameters import fleet_parameters
from mlops_constructs.stages.deployment.template import endpoint_template

if TYPE_CHECKING:
    from collections.abc import Mapping

PRODUCTION = Endpoint.for_production()
ALLOWED = AllowedEndpoint.of(PRODUCTION, EndpointLimits(instance_types=["ml.c5.large"], max_instance_count=9))
FLEET = fleet_parameters(PRODUCTION, ALLOWED)
DOCUMENT = Document(**placement_document(ABTest(), PRODUCTION, FLEET, ALLOWED.instance_types))
STATIC = {"ExecutionRoleArn": "role", "KmsKeyArn": "key", "EndpointName": "iris-production", "CaptureUri": "s3://a/b"}
NOW = 1000.0


def model(slot: str, number: int, **parameters: str) -> Deployed:
    return Deployed(
        slot=slot,
        model_package_arn=f"package/{number}",
        image=f"image/{number}",
        model_data_url=f"s3://models/{number}",
        execution_id=f"execution-{number}",
        since=1.0,
        why="approved",
        parameters={**FLEET, **parameters},
    )


CHAMPION, CHALLENGER = model(PRIMARY, 1), model(SECONDARY, 2)
SCALES = {name: FLEET[name] for name in SCALING}


def trial(state: str = RUNNING) -> Trial:
    return Trial(
        id="execution-2-7",
        champion="package/1",
        challenger="package/2",
        salt="salt",
        plan={},
        plan_sha256="",
        started=10.0,
        state=state,
        segments=(Segment(since=10.0, share=0.1),),
    )


def params(ab_test: str = "none", release: str = "none", number: int = 3) -> Params:
    return Params(
        step="plan",
        execution_id="execution-9",
        model_package_arn=f"package/{number}",
        image=f"image/{number}",
        model_data_url=f"s3://models/{number}",
        release=release,
        ab_test=ab_test,
    )


def change_sets(placed: Placement, now: Mapping[str, str] | None = None) -> tuple[dict[str, str], dict[str, str]]:
    return placed.parameters(STATIC, FLEET, now or {}, has_policy=True)


def variants(parameters: Mapping[str, str]) -> dict[str, str]:
    """The variants that a change set deploys, with the weights of the template."""
    occupied = SLOTS if parameters["Slots"] == "both" else (parameters["Slots"],)
    return {slot: parameters[f"{slot.capitalize()}Weight"] for slot in occupied}


def changed(before: Mapping[str, str], after: Mapping[str, str]) -> set[str]:
    return {name for name in after if before.get(name) != after[name]}


PLACEMENTS: dict[str, tuple[dict[str, str], Placement]] = {}
FIRST = change_sets(first_release(CHAMPION))[1]
BOTH = change_sets(arrival(CHAMPION, CHALLENGER, scaling_now=SCALES, busy=2), FIRST)[1]
PLACEMENTS["first"] = ({}, first_release(CHAMPION))
PLACEMENTS["arrival"] = (FIRST, arrival(CHAMPION, CHALLENGER, scaling_now=SCALES, busy=4))
PLACEMENTS["replacement"] = (BOTH, replacement(CHAMPION, model(SECONDARY, 3), CHALLENGER, scales_now=True, busy=2))
PLACEMENTS["retyped"] = (
    BOTH,
    replacement(CHAMPION, model(SECONDARY, 3, InstanceType="ml.c5.large"), CHALLENGER, scales_now=True, busy=2),
)
PLACEMENTS["promotion"] = (BOTH, clearing(CHALLENGER, CHAMPION))
PLACEMENTS["end of a test"] = (BOTH, clearing(CHAMPION, CHALLENGER))
PLACEMENTS["rollback"] = (FIRST, rollback(CHAMPION, model(PRIMARY, 3), None))
PLACEMENTS["rollback beside a model"] = (BOTH, rollback(CHAMPION, model(PRIMARY, 3), CHALLENGER))
PLACEMENTS["retyped rollback"] = (
    FIRST,
    rollback(CHAMPION, model(PRIMARY, 3, InstanceType="ml.c5.large"), None),
)


@pytest.mark.parametrize("name", PLACEMENTS)
def test_the_parameters_are_exactly_those_of_the_template(name: str) -> None:
    now, placed = PLACEMENTS[name]
    template = endpoint_template(PRODUCTION, ALLOWED, ab_test=True)["Parameters"]
    for parameters in change_sets(placed, now):
        # No release sets it, so that each one brings a paused endpoint back.
        assert {*parameters, "Paused"} == set(template)
        for key, value in parameters.items():
            assert value in template[key].get("AllowedValues", [value]), key


@pytest.mark.parametrize("name", PLACEMENTS)
def test_a_changed_set_of_variants_has_no_deployment_policy(name: str) -> None:
    before, placed = PLACEMENTS[name]
    for after in change_sets(placed, before):
        if before and variants(before).keys() != variants(after).keys():
            assert after[GUARDED] == "false"
        before = after


@pytest.mark.parametrize("name", PLACEMENTS)
def test_nothing_of_autoscaling_changes_with_the_set_of_variants_except_what_leaves(name: str) -> None:
    before, placed = PLACEMENTS[name]
    for after in change_sets(placed, before):
        if before and variants(before).keys() != variants(after).keys():
            for slot in variants(before).keys() & variants(after).keys():
                prefix = slot.capitalize()
                assert not changed(before, after) & {f"{prefix}{one}" for one in SCALING}, slot
            for slot in variants(after).keys() - variants(before).keys():
                assert after[f"{slot.capitalize()}Autoscales"] == "false"
            for slot in variants(before).keys() - variants(after).keys():
                assert before[f"{slot.capitalize()}Autoscales"] == "false", "deregistered in an update before"
        before = after


@pytest.mark.parametrize("name", PLACEMENTS)
def test_the_policy_never_changes_alone(name: str) -> None:
    before, placed = PLACEMENTS[name]
    of_scaling = {f"{slot.capitalize()}{one}" for slot in SLOTS for one in SCALING}
    for after in change_sets(placed, before):
        if before:
            assert changed(before, after) - of_scaling != {GUARDED}
        before = after


@pytest.mark.parametrize("name", ["arrival", "replacement", "retyped", "end of a test"])
def test_a_challenger_touches_nothing_of_the_champions_model(name: str) -> None:
    before, placed = PLACEMENTS[name]
    kept = {f"Primary{one}" for one in ("Image", "ModelDataUrl", "ModelPackageArn", "ExecutionId", "InstanceType")}
    for after in change_sets(placed, before):
        assert not changed(before, after) & {*kept, "ModelPackageArn", "ExecutionId"}


def test_the_same_model_is_not_deployed_twice() -> None:
    first, second = change_sets(first_release(CHAMPION))
    assert first == second
    assert variants(first) == {PRIMARY: "1"}


def test_a_challenger_arrives_without_requests_and_scales_afterwards() -> None:
    first, second = change_sets(arrival(CHAMPION, CHALLENGER, scaling_now=SCALES, busy=4), FIRST)
    assert variants(first) == {PRIMARY: "1", SECONDARY: "0"}
    assert changed(first, second) == {"SecondaryAutoscales", "PrimaryMinCapacity"}
    assert second["PrimaryMinCapacity"] == "4", "as many as carry all requests, for an abort"


@given(busy=st.integers(0, 100), least=st.integers(1, 9), most=st.integers(9, 12))
def test_the_champion_keeps_its_instances_within_its_limits(busy: int, least: int, most: int) -> None:
    champion = model(PRIMARY, 1, MinCapacity=str(least), MaxCapacity=str(most))
    kept = int(change_sets(arrival(champion, CHALLENGER, scaling_now=SCALES, busy=busy))[1]["PrimaryMinCapacity"])
    assert least <= kept <= most
    assert kept >= min(busy, most)


def test_a_replacement_has_a_deployment_policy() -> None:
    first, second = change_sets(PLACEMENTS["replacement"][1], BOTH)
    assert first == second
    assert first[GUARDED] == "true"
    assert first["SecondaryModelPackageArn"] == "package/3"


def test_another_instance_type_comes_after_autoscaling_has_gone() -> None:
    first, second = change_sets(PLACEMENTS["retyped"][1], BOTH)
    assert (first["SecondaryAutoscales"], first["SecondaryInstanceType"]) == ("false", "ml.m5.large")
    assert (second["SecondaryAutoscales"], second["SecondaryInstanceType"]) == ("true", "ml.c5.large")


def test_a_promotion_sets_the_weights_before_the_old_slot_goes() -> None:
    first, second = change_sets(clearing(CHALLENGER, CHAMPION), BOTH)
    assert variants(first) == {PRIMARY: "0", SECONDARY: "1"}
    assert first[GUARDED] == "true"
    assert variants(second) == {SECONDARY: "1"}
    assert second["ModelPackageArn"] == "package/2"


def test_a_rollback_to_another_instance_type_beside_a_model_is_refused() -> None:
    with pytest.raises(StepError, match="mlops ab abort"):
        rollback(CHAMPION, model(PRIMARY, 3, InstanceType="ml.c5.large"), CHALLENGER)


def test_the_volumes_have_a_key_only_where_every_instance_takes_one() -> None:
    disks = model(SECONDARY, 2, EncryptVolume="false")
    first, _ = change_sets(arrival(CHAMPION, disks, scaling_now=SCALES, busy=2))
    assert first["EncryptVolume"] == "false"


def test_a_template_without_alarms_has_no_policy_parameter() -> None:
    first, second = first_release(CHAMPION).parameters(STATIC, FLEET, {}, has_policy=False)
    assert GUARDED not in {*first, *second}
    plain = endpoint_template(replace(PRODUCTION, rollout=None), ALLOWED, ab_test=True)["Parameters"]
    assert {*first, "Paused"} == set(plain)


def stack(parameters: Mapping[str, str], status: str = "UPDATE_COMPLETE") -> Stack:
    return Stack("iris-production", "arn", status, dict(parameters))


def test_a_stack_from_before_ab_tests_has_one_slot() -> None:
    plain = {**FLEET, "ModelPackageArn": "package/1", "Image": "image/1", "ModelDataUrl": "s3://models/1"}
    slots = slots_of(stack({**plain, "ExecutionId": "execution-1"}))
    record = reconcile(Record(), slots, now=NOW)
    assert record.champion is not None
    assert (record.champion.slot, record.champion.model_package_arn) == (PRIMARY, "package/1")
    assert record.champion.parameters["InstanceType"] == "ml.m5.large"


def test_both_slots_are_read_from_the_stack() -> None:
    slots = slots_of(stack(BOTH))
    assert {slot: found["ModelPackageArn"] for slot, found in slots.items()} == {
        PRIMARY: "package/1",
        SECONDARY: "package/2",
    }
    assert slots[PRIMARY]["MinCapacity"] == "2"


def test_a_stack_that_was_never_created_serves_nothing() -> None:
    assert slots_of(stack(FIRST, "ROLLBACK_COMPLETE")) == {}
    assert slots_of(None) == {}


@pytest.mark.parametrize("found", [{PRIMARY: 1.0}, {PRIMARY: 1.0, SECONDARY: 0.0, "third": 1.0}])
def test_an_endpoint_that_somebody_changed_is_named(found: dict[str, float]) -> None:
    live = LiveEndpoint("iris-production", "InService", "", found, {})
    with pytest.raises(StepError, match="by hand"):
        check_variants(live, dict.fromkeys(SLOTS))


def settled(**changes: Any) -> Record:
    return replace(Record(champion=CHAMPION, challenger=CHALLENGER, share=0.1, test=trial()), **changes)


SLOTS_NOW = slots_of(stack(BOTH))


def test_a_true_record_stays() -> None:
    record = settled()
    assert reconcile(record, SLOTS_NOW, now=NOW) is record


def test_a_challenger_that_was_not_deployed_is_forgotten_and_its_test_ends() -> None:
    record = reconcile(settled(), {PRIMARY: SLOTS_NOW[PRIMARY]}, now=NOW)
    assert record.challenger is None
    assert record.share == 0.0
    assert record.history[0]["state"] == ABORTED


def test_what_a_crashed_execution_has_deployed_is_known() -> None:
    intent = Intent(kind="release", by="execution x", since=1.0, model=CHALLENGER)
    record = reconcile(Record(champion=CHAMPION, intent=intent), SLOTS_NOW, now=NOW)
    assert record.challenger == CHALLENGER
    assert record.intent is None


def test_a_crashed_rollback_has_replaced_the_champion() -> None:
    new = model(PRIMARY, 3)
    intent = Intent(kind="rollback", by="execution x", since=1.0, model=new)
    slots = {PRIMARY: {**SLOTS_NOW[PRIMARY], "ModelPackageArn": "package/3"}}
    assert reconcile(Record(champion=CHAMPION, intent=intent), slots, now=NOW).champion == new


def test_another_model_in_the_champions_slot_is_a_hand_edit() -> None:
    slots = {PRIMARY: {**SLOTS_NOW[PRIMARY], "ModelPackageArn": "package/8"}}
    with pytest.raises(StepError, match=r"package/8 in the slot primary, and the champion is package/1.*by hand"):
        reconcile(settled(), slots, now=NOW)


def test_a_champion_whose_slot_is_gone_is_a_hand_edit() -> None:
    with pytest.raises(StepError, match="The champion is in the slot primary"):
        reconcile(settled(), {SECONDARY: SLOTS_NOW[SECONDARY]}, now=NOW)


def test_two_models_without_a_record_have_no_champion() -> None:
    with pytest.raises(StepError, match="no record says which one is the champion"):
        reconcile(Record(), SLOTS_NOW, now=NOW)


def test_after_the_stack_is_deleted_the_next_release_is_the_first() -> None:
    record = reconcile(settled(), {}, now=NOW)
    assert (record.champion, record.challenger, record.test) == (None, None, None)


def started(record: Record, asked: Params) -> Record:
    return begin(record, asked, DOCUMENT, FLEET, now=NOW)


def intended(record: Record) -> Deployed:
    assert record.intent is not None
    assert record.intent.model is not None
    return record.intent.model


def test_the_first_release_goes_to_the_first_slot() -> None:
    assert intended(started(Record(), params())).slot == PRIMARY


@pytest.mark.parametrize("what", ["promote", "abort"])
def test_without_a_champion_there_is_nothing_to_end(what: str) -> None:
    with pytest.raises(StepError, match="no champion yet"):
        started(Record(), params(what))


def test_a_release_takes_the_slot_that_is_not_the_champions() -> None:
    record = started(settled(champion=CHALLENGER, challenger=None, test=None), params())
    assert intended(record).slot == PRIMARY


def test_a_third_release_ends_the_test_and_keeps_the_champion() -> None:
    record = started(settled(), params())
    assert record.champion == CHAMPION
    assert record.test is not None
    assert (record.test.state, record.test.segments[0].until, record.share) == (REPLACED, NOW, 0.0)
    assert intended(record).slot == SECONDARY


def test_a_rollback_replaces_the_champions_model_in_its_slot() -> None:
    record = started(settled(challenger=None, test=None), params(release="1"))
    assert intended(record).slot == PRIMARY


def test_a_rollback_during_a_test_is_refused() -> None:
    with pytest.raises(StepError, match="A test of a challenger runs"):
        started(settled(), params(release="1"))


def test_a_promotion_closes_the_segment_and_remembers_the_share() -> None:
    record = started(settled(), params("promote", "2", 2))
    assert record.intent is not None
    assert record.test is not None
    assert (record.intent.returns, record.test.segments[0].until, record.test.state) == (0.1, NOW, RUNNING)
    assert record.champion == CHAMPION, "the roles change later, in one write"


def test_only_the_challenger_is_promoted() -> None:
    with pytest.raises(StepError, match=r"package/3 is not the challenger: it is package/2"):
        started(settled(), params("promote", "3", 3))


def test_a_challenger_whose_test_has_ended_is_not_promoted() -> None:
    with pytest.raises(StepError, match="is aborted"):
        started(settled(test=trial(ABORTED)), params("promote", "2", 2))
    with pytest.raises(StepError, match="The challenger has no test"):
        started(settled(test=None), params("promote", "2", 2))


def test_the_end_of_a_test_is_for_the_champion_that_it_was_started_for() -> None:
    with pytest.raises(StepError, match="this execution was started for package/2"):
        started(settled(), params("abort", "2", 2))


def test_an_instance_type_that_is_no_longer_allowed_is_told_with_its_remedy() -> None:
    old = replace(CHAMPION, parameters={**FLEET, "InstanceType": "ml.m4.xlarge"})
    with pytest.raises(StepError, match=r"EndpointLimits\(instance_types=\['ml.m4.xlarge'\]\)"):
        started(settled(champion=old), params())


def test_an_unknown_value_of_the_variable_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="must be none, promote or abort, got 'win'"):
        kind_of(params("win"))


def test_the_plan_of_a_test_is_complete_and_has_a_digest() -> None:
    plan = complete(ABTest(challenger_weight=0.2).plan())
    assert plan["statistics"]["prior"]["effects"] == 36
    assert plan["statistics"]["challenger_weight"] == 0.2
    assert sha256(plan) == sha256(complete(plan)) != sha256(complete(ABTest().plan()))


def test_a_fixed_number_of_instances_is_kept_as_it_is() -> None:
    fixed = replace(PRODUCTION, autoscaling=None)
    fleet = fleet_parameters(fixed, AllowedEndpoint.of(fixed, EndpointLimits()))
    champion = replace(CHAMPION, parameters=fleet)
    scaling = {name: fleet[name] for name in SCALING}
    first, second = arrival(champion, CHALLENGER, scaling_now=scaling, busy=7).parameters(
        STATIC, fleet, {}, has_policy=True
    )
    assert first["PrimaryMinCapacity"] == second["PrimaryMinCapacity"] == fleet["MinCapacity"]
    assert Autoscaling().min_capacity == 2


def stored(record: Record) -> Store:
    s3 = clients.client("s3")
    s3.create_bucket(Bucket="artifacts")
    store = Store(s3, "artifacts", "iris")
    store.write(record, None, now=NOW, by="a test", why="a test")
    return store


def baked(record: Record) -> Intent:
    assert record.intent is not None
    return replace(record.intent, bake_until=NOW - 1)


def promotion(store: Store) -> Promotion:
    production = Production("iris-production", store, None, None, None)
    return Promotion(production, "execution-9", bake_seconds=60)


def test_a_challenger_that_was_watched_becomes_the_champion_in_one_write() -> None:
    promoting = started(settled(), params("promote", "2", 2))
    promoting = replace(promoting, intent=replace(baked(promoting), by="execution execution-9"))
    store = stored(promoting)
    done = promotion(store)._bake(promoting, NOW)
    assert isinstance(done, Record)
    assert done.champion is not None
    assert (done.champion.slot, done.challenger) == (SECONDARY, CHAMPION)
    assert store.read()[0].version == promoting.version + 2


def test_a_challenger_whose_test_the_guard_has_aborted_does_not_become_the_champion() -> None:
    promoting = started(settled(), params("promote", "2", 2))
    promoting = replace(promoting, intent=replace(baked(promoting), by="execution execution-9"))
    guards = Intent(kind="abort", by="guard", since=NOW, expires=NOW + 900)
    aborted = replace(promoting.ended(ABORTED, NOW, "the guard: worse"), intent=guards)
    store = stored(aborted)
    with pytest.raises(StepError, match="has taken over in the middle of this action"):
        promotion(store)._bake(promoting, NOW)
    assert store.read()[0].champion == CHAMPION


class Paused:
    """Production whose endpoint a person has paused; its stack has this slot."""

    def __init__(self, store: Store, parameters: Mapping[str, str], paused: str = "2026-11-27T18:00:00+00:00") -> None:
        self.store = store
        self._stack = Stack("iris-production", "arn", "UPDATE_COMPLETE", {**parameters, "Paused": paused})

    def stack(self) -> Stack:
        return self._stack

    def endpoint(self) -> None:
        return None


def planned(record: Record, params: Params, *, paused: str = "2026-11-27T18:00:00+00:00") -> Planned:
    production: Any = Paused(stored(record), FIRST, paused)
    found = Plan(production, params, DOCUMENT, {**STATIC, **FLEET}).run(NOW)
    assert isinstance(found, Planned)
    return found


def test_a_release_beside_a_paused_champion_is_a_challenger_and_brings_both_up() -> None:
    found = planned(Record(champion=CHAMPION), params())
    assert found.role == "challenger"
    for change_set in (found.first, found.second):
        assert variants(change_set) == {PRIMARY: "1", SECONDARY: "0"}
        assert "Paused" not in change_set, "its default brings the endpoint back"
    assert found.second["PrimaryModelPackageArn"] == "package/1"


def test_a_rollback_brings_a_paused_endpoint_up_as_the_champion() -> None:
    found = planned(Record(champion=CHAMPION), params(release="1"))
    assert (found.role, variants(found.second)) == ("champion", {PRIMARY: "1"})


def test_an_endpoint_that_is_gone_without_a_pause_is_a_hand_edit() -> None:
    with pytest.raises(StepError, match="somebody changed one of them by hand"):
        planned(Record(champion=CHAMPION), params(), paused="no")
