"""What is true after every step, whatever has happened."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

from soaks import check

from release_soak.facts import approval_of

if TYPE_CHECKING:
    from release_soak.facts import Facts, Ran
    from release_soak.world import World

_MINIMUM = 0.8
_RUNNING = ("InProgress", "Stopping")
_STUCK = ("UPDATE_ROLLBACK_FAILED", "UPDATE_FAILED", "DELETE_FAILED", "ROLLBACK_FAILED")


def check_all(world: World, before: Facts, after: Facts) -> None:
    """Check everything."""
    jobs_belong_to_executions(world, after)
    a_version_trains_once(world, after)
    nothing_is_lost(world, after)
    records_are_true(world, before, after)
    the_registry_is_true(world, after)
    only_an_approval_changes_production(world, before, after)
    only_what_can_be_released_is_asked(world, after)
    only_a_number_opens_the_gate(world, after)
    people_are_told(world, after)


def jobs_belong_to_executions(world: World, after: Facts) -> None:
    """I1: an execution has one job for each attempt of its action; one that has ended has none that runs."""
    for one in after.ran:
        jobs = after.jobs[one.id]
        running = [name for name, status in jobs.items() if status in _RUNNING]
        check(len(running) <= 1, f"the execution {one.id} has several running jobs: {running}")
        over = one.ended and not world.gave_up
        check(not (over and running), f"the execution {one.id} is {one.status}, and {running} still runs")
        for action, is_processing in (("Train", False), ("RunEvaluation", True)):
            mine = [name for name in jobs if name.endswith("(processing)") == is_processing]
            attempts = len(one.actions(action))
            check(len(mine) <= attempts, f"{attempts} attempts of {action} in {one.id} have the jobs {mine}")


def a_version_trains_once(world: World, after: Facts) -> None:
    """I2: an uploaded version trains once, however often it is told, unless a person asks."""
    for version in world.versions:
        trained = [
            one.id
            for one in after.ran
            if one.by_event and one.version == version and any("(" not in name for name in after.jobs[one.id])
        ]
        check(len(trained) <= 1, f"the version {version} was trained by the executions {trained}")


def nothing_is_lost(world: World, after: Facts) -> None:
    """I10: each upload has started an execution that was not stopped as if it were another one's."""
    for version in world.versions:
        mine = [one for one in after.ran if one.version == version]
        real = [one for one in mine if not one.is_duplicate]
        unknown = [one for one in after.ran if not one.version]
        check(real or unknown, f"nothing was made of the version {version}: {[(one.id, one.status) for one in mine]}")


def records_are_true(world: World, before: Facts, after: Facts) -> None:
    """I3: numbers grow by one, an execution has one record, and the newest one is what production runs."""
    numbers = [int(one["release"]) for one in after.records]
    check(numbers == list(range(len(numbers), 0, -1)), f"the numbers of the releases are {numbers}")
    known = {one["release"] for one in before.records}
    executions = [one["execution_id"] for one in after.records if "execution_id" in one]
    check(len(executions) == len(set(executions)), "an execution has two records")
    for record in (one for one in after.records if one["release"] not in known):
        one = after.execution(record["execution_id"])
        assert one is not None
        check(one.succeeded("ExecuteChangeSet"), f"release {record['release']} was recorded and not deployed")
        check(record["model_package_arn"] == one.package, f"release {record['release']} has another package")
        if one.by_event:
            check(record["dataset"]["version_id"] == one.version, f"release {record['release']} has another data set")
        check(one.id in world.approved, f"release {record['release']} was approved by nobody")
    for one in after.ran:
        if one.status == "Succeeded" and not world.record_damaged:
            check(one.id in executions, f"the execution {one.id} has succeeded, and there is no record")
    if not after.package or not after.records or world.record_damaged:
        return
    newest = after.records[0]
    if newest.get("model_package_arn") != after.package:
        late = [one for one in after.ran if one.package == after.package and not one.succeeded("RecordRelease")]
        check(late, f"production runs {after.package}, the newest record says {newest.get('model_package_arn')}")


def the_registry_is_true(world: World, after: Facts) -> None:
    """I4: the package in production is approved; one whose execution ended before production ran it is rejected."""
    if after.package and after.package not in world.touched:
        check(after.approval == "Approved", f"production runs {after.package}, which is {after.approval or 'deleted'}")
    for one in after.ran:
        if one.status not in ("Failed", "Stopped") or not one.package or one.package in world.touched:
            continue
        if one.package in world.served or one.id in world.rollbacks:
            continue
        if world.gave_up or one.succeeded("ExecuteChangeSet"):
            continue
        status = approval_of(world.site, one.package)
        released = any(record.get("model_package_arn") == one.package for record in after.records)
        check(released or status == "Rejected", f"{one.id} is {one.status} ({one.reason}), its package {status}")


def only_an_approval_changes_production(world: World, before: Facts, after: Facts) -> None:
    """I5: production changes only by an approved execution; otherwise its answers stay as they were."""
    if after.package != before.package and after.package:
        by = [one for one in after.ran if one.package == after.package and one.id in world.approved]
        check(by, f"production changed to {after.package}, and nobody has approved that")
    if after.package and not world.endpoint_touched:
        wanted = world.models.get(after.package)
        check(
            wanted is None or after.answer == wanted, f"production must answer {wanted}, and answers {after.answer!r}"
        )
    ended = not after.package and before.package
    check(not ended or world.endpoint_touched, f"production served {before.package}, and is {after.stack or 'gone'}")


def only_what_can_be_released_is_asked(world: World, after: Facts) -> None:
    """I6: nobody is asked when production could not be updated."""
    for execution, status in world.asked.items():
        updatable = status not in _STUCK and not status.startswith("incomplete")
        check(updatable, f"the approver of {execution} was asked, and production is in {status}")


def only_a_number_opens_the_gate(world: World, after: Facts) -> None:
    """I9: only a finite number that is large enough comes to a person, and the registry shows what was said."""
    for one in after.ran:
        if one.id in world.rollbacks or not one.actions("Approve"):
            continue
        says = world.site.uploads[one.version][1]
        check(opens(says), f"the evaluation said {says!r}, and the approver was asked")


def opens(says: str) -> bool:
    """Whether what an evaluation says may open the gate."""
    try:
        value = json.loads(says)
    except ValueError:
        return False
    value = value.get("value") if isinstance(value, dict) else value
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return is_number and math.isfinite(value) and value >= _MINIMUM


def people_are_told(world: World, after: Facts) -> None:
    """I10: an approval is mailed, a failure says why, and what was given up is in the dead-letter queue."""
    mails = world.site.read_mail()
    for execution in world.asked:
        ran = after.execution(execution)
        if ran is None or all(one.status == "Failed" for one in ran.actions("Approve")):
            continue
        told = [text for _, text in mails if '"approval"' in text and world.token_known(execution, text)]
        check(told, f"nobody was mailed that {execution} waits for an approval")
    for one in after.ran:
        if one.status == "Failed":
            check(_explained(one), f"the execution {one.id} failed, and nothing says why: {one.reason!r}")
    lost = len(world.site.lost) - world.lost_before
    kept = world.site.dead_letters() - world.kept_before
    check(kept >= lost, f"{lost} invocations were given up, and {kept} are in the dead-letter queue: {world.site.lost}")


def _explained(one: Ran) -> bool:
    words = ("Traceback", "NoneType", "AssertionError", "KeyError", "TypeError")
    text = one.reason.partition(": ")[2]
    return len(text) > 5 and not any(word in text for word in words)
