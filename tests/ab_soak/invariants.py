"""What is true after every step, whatever has happened."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from place_variants.observed import slots_of
from soaks import check

from ab_soak.execution import SUCCEEDED
from handler_kit.ab_record import PROMOTED, Record
from mlops_constructs.deployed.ab_record import Record as OtherRecord

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ab_soak.world import World

_SAME = 1e-4
_DRAWS = 3


def check_all(world: World) -> None:
    """Check everything."""
    one_record_is_true(world)
    if not world.endpoint():
        return
    no_stack_is_broken(world)
    the_champion_answers(world)
    weights_add_up(world)
    only_a_running_test_has_requests(world)
    no_change_is_left_behind(world)
    nothing_is_orphaned(world)
    segments_are_true(world)


def one_record_is_true(world: World) -> None:
    """Both readers read each version, each write counts one up, and the champion changes only for a reason."""
    before = world.known
    for version, body in world.new_versions():
        content = json.loads(body)
        after = Record.from_json(content)
        check(
            json.loads(json.dumps(OtherRecord.from_json(content).to_json())) == content,
            f"version {version} is read in two ways",
        )
        check(
            after.version == before.version + 1,
            f"two writers wrote version {after.version}: one has not seen what the other one wrote ({after.by})",
        )
        slots = [one.slot for one in (after.champion, after.challenger) if one is not None]
        check(len(slots) == len(set(slots)), f"champion and challenger are both in {slots} ({after.by}: {after.why})")
        check(0.0 <= after.share <= 1.0, f"the share is {after.share}")
        _check_champion(world, before, after)
        before = world.known = after


def _check_champion(world: World, before: Record, after: Record) -> None:
    old, new = before.champion, after.champion
    if new is None:
        check(old is None, f"there is no champion any more ({after.by}: {after.why})")
        return
    if old is not None and (old.slot, old.model_package_arn) == (new.slot, new.model_package_arn):
        return
    by = world.execution(after.by.removeprefix("execution "))
    bringer = world.execution(new.execution_id)
    if old is None or (bringer is not None and bringer.kind == "rollback"):
        check(bringer is not None, f"{after.by} made a champion that no execution has brought")
        return
    check(by is not None and by.kind == "promote", f"{after.by} changed the champion: {after.why}")
    check(before.challenger is not None and before.challenger.slot == new.slot, "the new champion was no challenger")
    check(after.test is not None and after.test.state == PROMOTED, "a promotion without a test that was promoted")


def no_stack_is_broken(world: World) -> None:
    """No update ends where only a person can go on."""
    status = world.stack().status
    check(status.endswith("_COMPLETE"), f"the stack is {status}")


def the_champion_answers(world: World) -> None:
    """The champion's slot answers with the champion's model, and the stack has it."""
    record, slots = world.record(), slots_of(world.stack())
    champion, intent = record.champion, record.intent
    if champion is None:
        return
    check(champion.slot in slots, f"the champion's slot {champion.slot} is not in the stack: {sorted(slots)}")
    found = slots[champion.slot]
    comes = None if intent is None else intent.model
    if comes is not None and comes.slot == champion.slot and comes.model_package_arn == found["ModelPackageArn"]:
        champion = comes
    check(
        (found["ModelPackageArn"], found["Image"], found["ModelDataUrl"])
        == (champion.model_package_arn, champion.image, champion.model_data_url),
        f"the stack has {found['ModelPackageArn']} in the slot of the champion {champion.model_package_arn}",
    )
    wanted = (world.name_of(champion.model_package_arn), champion.slot)
    answer = world.pipeline.stage.answer(champion.slot)
    check(answer == wanted, f"the champion is {wanted}, and {answer} answers")


def weights_add_up(world: World) -> None:
    """Weights are shares: together they are 1, where there is something to share."""
    weights = world.weights()
    if len(weights) > 1 and 0.0 not in weights.values() and not world.weighed_by_hand:
        check(abs(sum(weights.values()) - 1.0) < _SAME, f"the weights are {weights}")


def only_a_running_test_has_requests(world: World) -> None:
    """The other slot has no requests unless its test runs; at rest the weights are those of the record."""
    record, weights = world.record(), world.weights()
    if record.champion is None or world.weighed_by_hand:
        return
    total = sum(weights.values())
    shares = {slot: weight / total for slot, weight in weights.items()}
    wanted = {slot: weight for slot, weight in record.weights.items() if weight or slot in shares}
    same = wanted.keys() == shares.keys() and all(abs(wanted[one] - shares[one]) < _SAME for one in wanted)
    world.was_disturbed &= not same
    runs = record.test is not None and record.test.runs
    if record.intent is not None and not world.was_disturbed:
        others = {slot: share for slot, share in shares.items() if slot != record.champion.slot and share}
        check(not others or runs, f"no test runs, and the shares are {shares} ({record.intent})")
    if record.intent is None:
        check(same, f"the shares are {shares}, the record says {record.weights} ({record.by}: {record.why})")
        check(runs or record.share == 0.0, f"no test runs, and the challenger's share is {record.share}")
    for _ in range(_DRAWS):
        _, slot = world.pipeline.stage.answer()
        check(shares[slot] > 0.0, f"{slot} answers with the share {shares[slot]}")


def no_change_is_left_behind(world: World) -> None:
    """Who has come to an end, has no intent."""
    intent = world.record().intent
    if intent is None:
        return
    execution = world.execution(intent.by.removeprefix("execution "))
    status = "" if execution is None else execution.status
    check(status != SUCCEEDED, f"{intent.by} has succeeded, and its intent to {intent.kind} is left")
    by_execution = intent.by.startswith("execution ")
    check(by_execution or not world.command_done, f"{intent.by} has ended, and its intent to {intent.kind} is left")


def nothing_is_orphaned(world: World) -> None:
    """The account has what the stack has; at rest, variants are those of the record, and scale as they should."""
    found, wanted = world.resources(), world.stack_resources()
    for kind, names in found.items():
        check(names == wanted[kind], f"of {kind} there are {sorted(names)}, the stack has {sorted(wanted[kind])}")
    record = world.record()
    variants = set(world.weights())
    check(variants == set(slots_of(world.stack())), f"the endpoint has the variants {variants}")
    if record.intent is not None or record.champion is None:
        return
    roles = [one for one in (record.champion, record.challenger) if one is not None]
    check(variants == {one.slot for one in roles}, f"the endpoint has the variants {variants}, the record {roles}")
    targets = {name.rpartition("/")[2] for name in found["scalable targets"]}
    scaled = {one.slot for one in roles if one.parameters.get("Autoscales", "true") == "true"}
    check(targets == scaled, f"scalable targets are {targets}, and {scaled} scale ({record.by}: {record.why})")


def segments_are_true(world: World) -> None:
    """Segments follow each other, and in each the challenger had its share."""
    record = world.record()
    test, now = record.test, world.account.clock.time()
    if test is None or record.champion is None or test.id in world.tests_by_hand:
        return
    slot = world.slot_of_test(test.id, record)
    before = 0.0
    for number, segment in enumerate(test.segments, start=1):
        until = now if segment.until is None else segment.until
        last = number == len(test.segments)
        check(segment.until is not None or last, f"segment {number} of {len(test.segments)} is open")
        check(before <= segment.since <= until, f"segment {number} begins at {segment.since}, before {before}")
        before = until
        for since, end, shares in world.shares_between(segment.since, until):
            check(
                shares is not None and abs(shares.get(slot, 0.0) - segment.share) < _SAME,
                f"segment {number} ({segment.since:.3f} to {until:.3f}) has the share {segment.share}, and from"
                f" {since:.3f} to {end:.3f} the shares are {shares}",
            )


def explained(sentence: str) -> None:
    """A refusal is a sentence for people, and no accident."""
    check(sentence.strip(), "it failed without a word")
    for word in ("Traceback", "NoneType", "AssertionError", "KeyError", "TypeError"):
        check(word not in sentence, f"this is no sentence for people: {sentence}")


def unchanged(before: Mapping[str, Any], after: Mapping[str, Any], sentence: str) -> None:
    """What was refused has changed nothing."""
    for what in before:
        check(before[what] == after[what], f"it was refused ({sentence}), and {what} changed")
