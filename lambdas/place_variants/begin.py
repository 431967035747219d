"""What an execution does to the roles: the intent that is written before anything changes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from handler_kit.ab_record import ABORTED, PRIMARY, REPLACED, RUNNING, Deployed, Intent, Record, other
from handler_kit.errors import ConfigurationError, StepError
from handler_kit.settings import NONE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from place_variants.settings import Document, Params

RELEASE, ROLLBACK, PROMOTE, ABORT = "release", "rollback", "promote", "abort"


def kind_of(params: Params) -> str:
    """What the execution does. Raises ConfigurationError for a value that the pipeline variable cannot have."""
    if params.ab_test not in (NONE, PROMOTE, ABORT):
        raise ConfigurationError(
            f"pipeline variable ABTest: must be {NONE}, {PROMOTE} or {ABORT}, got {params.ab_test!r}"
        )
    if params.ab_test != NONE:
        return params.ab_test
    return RELEASE if params.release == NONE else ROLLBACK


def begin(record: Record, params: Params, document: Document, requested: Mapping[str, str], *, now: float) -> Record:
    """Return the record with the intent of this execution.

    Args:
        record: The record, as it is true now.
        params: The action's parameters.
        document: The function's document.
        requested: The parameters of the fleet that the release has.
        now: The time, in seconds since 1970.

    Raises:
        StepError: when the execution cannot do it now; nothing has changed then.
    """
    kind, champion = kind_of(params), record.champion
    intent = Intent(kind=kind, by=f"execution {params.execution_id}", since=now)
    if champion is None:
        if kind in (PROMOTE, ABORT):
            raise StepError(f"There is no champion yet, so there is nothing to {kind}. Release a model first.")
        return replace(record, intent=replace(intent, model=_model(PRIMARY, params, requested, now)))
    _check_type(champion, document)
    if kind == PROMOTE:
        return _promote(record, params, intent, now)
    if kind == ABORT:
        _check_champion(champion, params)
        ended = record.ended(ABORTED, now, f"execution {params.execution_id} removes the challenger")
        return replace(ended, share=0.0, intent=intent)
    if kind == ROLLBACK:
        if record.test is not None and record.test.runs:
            raise StepError(
                "A test of a challenger runs, so the champion cannot be replaced. End it with `mlops ab abort"
                " PIPELINE`, then roll back."
            )
        return replace(record, share=0.0, intent=replace(intent, model=_model(champion.slot, params, requested, now)))
    ended = record.ended(REPLACED, now, f"the challenger of execution {params.execution_id} takes its place")
    return replace(ended, share=0.0, intent=replace(intent, model=_model(other(champion.slot), params, requested, now)))


def _promote(record: Record, params: Params, intent: Intent, now: float) -> Record:
    champion, challenger, test = record.champion, record.challenger, record.test
    if champion is not None and champion.model_package_arn == params.model_package_arn:
        return replace(record, intent=intent)
    if challenger is None or challenger.model_package_arn != params.model_package_arn:
        found = "there is none" if challenger is None else f"it is {challenger.model_package_arn}"
        raise StepError(f"{params.model_package_arn} is not the challenger: {found}. Nothing was promoted.")
    if test is None or test.state != RUNNING:
        found = "The challenger has no test" if test is None else f"The challenger's test is {test.state}: {test.why}"
        raise StepError(f"{found}. Only a challenger whose test runs can be promoted.")
    # From here on the shares change, so that no request is counted any more.
    return replace(record, test=test.closed(now), intent=replace(intent, returns=record.share))


def _model(slot: str, params: Params, requested: Mapping[str, str], now: float) -> Deployed:
    again = "" if params.release == NONE else f", release {params.release} again"
    return Deployed(
        slot=slot,
        model_package_arn=params.model_package_arn,
        image=params.image,
        model_data_url=params.model_data_url,
        execution_id=params.execution_id,
        since=now,
        why=f"approved in execution {params.execution_id}{again}",
        parameters=dict(requested),
    )


def _check_champion(champion: Deployed, params: Params) -> None:
    if champion.model_package_arn != params.model_package_arn:
        raise StepError(
            f"The champion is {champion.model_package_arn}, and this execution was started for"
            f" {params.model_package_arn}. Run `mlops ab abort PIPELINE` again."
        )


def _check_type(champion: Deployed, document: Document) -> None:
    kind: Any = champion.parameters.get("InstanceType")
    if kind is not None and kind not in document.instance_types:
        raise StepError(
            f"The champion runs on {kind}, which this pipeline no longer allows"
            f" ({', '.join(document.instance_types)}), so nothing beside it can be deployed. Allow it with"
            f" Dataset(requests=Requests(production=EndpointLimits(instance_types=['{kind}']))) until another model"
            " is the champion, then retry the stage."
        )
