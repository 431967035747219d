"""The record beside the stack: what a crash left unfinished is finished, what a hand edit did is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from handler_kit.ab_record import ABORTED, Deployed, Record, other
from handler_kit.errors import StepError

if TYPE_CHECKING:
    from collections.abc import Mapping

Slots = dict[str, dict[str, str]]


def reconcile(record: Record, slots: Slots, *, now: float) -> Record:
    """Return the record as it is true, without the intent of an execution that has ended.

    Only one execution at a time is in the stage that calls this, so an intent of another execution has ended.
    Raises StepError when somebody changed the stack by hand.
    """
    if not slots:
        return _without_endpoint(record, now)
    champion = _champion(record, slots)
    slot = other(champion.slot)
    challenger = None if slot not in slots else _challenger(record, champion, slot, slots[slot])
    if champion == record.champion and challenger == record.challenger and record.intent is None:
        return record
    test = record.test
    if test is not None and (challenger is None or challenger.model_package_arn != test.challenger):
        record = record.ended(ABORTED, now, "the challenger was not deployed")
        test = None if challenger is None else record.test
    share = 0.0 if challenger is None else record.share
    return replace(record, champion=champion, challenger=challenger, test=test, share=share, intent=None)


def _without_endpoint(record: Record, now: float) -> Record:
    if record.champion is None and record.intent is None:
        return record
    ended = record.ended(ABORTED, now, "the production stack does not exist any more")
    return replace(ended, champion=None, challenger=None, test=None, share=0.0, intent=None)


def _champion(record: Record, slots: Slots) -> Deployed:
    known = record.champion
    if known is None:
        if len(slots) > 1:
            raise StepError(
                "The production stack serves two models, and no record says which one is the champion. Restore the last"
                " good version of the record of the A/B tests in the artifact bucket, then retry the stage."
            )
        ((slot, parameters),) = slots.items()
        return _intended(record, slot, parameters) or _adopted(slot, parameters)
    if known.slot not in slots:
        raise StepError(
            f"The champion is in the slot {known.slot}, and the production stack has only {', '.join(sorted(slots))}:"
            " somebody changed the stack by hand. Deploy its former template and parameters, then retry the stage."
        )
    found = slots[known.slot].get("ModelPackageArn", "")
    if found == known.model_package_arn:
        return known
    intended = _intended(record, known.slot, slots[known.slot])
    if intended is not None:
        # A rollback replaced the champion, and failed afterwards.
        return intended
    raise StepError(
        f"The production stack serves {found} in the slot {known.slot}, and the champion is"
        f" {known.model_package_arn}: somebody changed the stack by hand. Deploy its former parameters, then retry the"
        " stage."
    )


def _challenger(record: Record, champion: Deployed, slot: str, parameters: Mapping[str, str]) -> Deployed:
    known = record.challenger
    if known is not None and known.slot == slot and known.model_package_arn == parameters.get("ModelPackageArn"):
        return known
    return _intended(record, slot, parameters) or replace(_adopted(slot, parameters), since=champion.since)


def _intended(record: Record, slot: str, parameters: Mapping[str, str]) -> Deployed | None:
    """What an execution that failed afterwards has deployed to this slot."""
    model = None if record.intent is None else record.intent.model
    if model is None or model.slot != slot or model.model_package_arn != parameters.get("ModelPackageArn"):
        return None
    return model


def _adopted(slot: str, parameters: Mapping[str, str]) -> Deployed:
    """What the stack serves without a record, such as before the pipeline had A/B tests."""
    models = ("Image", "ModelDataUrl", "ModelPackageArn", "ExecutionId")
    return Deployed(
        slot=slot,
        model_package_arn=parameters.get("ModelPackageArn", ""),
        image=parameters.get("Image", ""),
        model_data_url=parameters.get("ModelDataUrl", ""),
        execution_id=parameters.get("ExecutionId", ""),
        since=0.0,
        why="it was in production before there was a record",
        parameters={name: value for name, value in parameters.items() if name not in models},
    )
