"""Whether record, stack and endpoint agree, and who changes them now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from .clients import code_of, explained

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .ab_endpoint import Observed
    from .ab_record import Deployed, Intent, Record
    from .pipeline import DeployedPipeline

_LIVE = ("InProgress", "Stopping")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """A change that has begun and has not ended.

    Attributes:
        intent: The change.
        live: Whether somebody still changes; otherwise the change was broken off.
        sentence: Both, for people.
    """

    intent: Intent
    live: bool
    sentence: str


def hold_of(pipeline: DeployedPipeline, record: Record, now: float) -> Hold | None:
    """Return the change that the record names, and whether whoever began it is still at it."""
    intent, name = record.intent, pipeline.name
    if intent is None:
        return None
    since = at(intent.since)
    if intent.execution_id is None:
        if not intent.expired(now):
            ends = at(intent.since if intent.expires is None else intent.expires)
            told = f"{intent.by} has been changing {name} since {since} ({intent.kind}): wait until it has ended"
            return Hold(intent=intent, live=True, sentence=f"{told}; it counts as crashed from {ends} on")
        told = f"{intent.by} was broken off in the middle of {_a(intent.kind)} of {name}"
        return Hold(intent=intent, live=False, sentence=f"{told}; the next `mlops ab shift` or `abort` finishes it")
    status = _status(pipeline, intent.execution_id)
    if status in _LIVE:
        told = f"{intent.by} has been changing the variants of {name} since {since} ({intent.kind})"
        return Hold(intent=intent, live=True, sentence=f"{told}: wait until it has ended")
    ended = "failed" if status == "Failed" else "ended"
    return Hold(
        intent=intent,
        live=False,
        sentence=f"{intent.by} {ended} in the middle of {_a(intent.kind)} of {name}; the champion gets all requests;"
        f" the next release or `mlops ab abort {name}` cleans up",
    )


def disagreements(record: Record, seen: Observed) -> list[str]:
    """Return where the endpoint or its stack are not as the record says, except for weights."""
    return [*_of_variants(record, seen), *_of_stack(seen)]


def wrong_weights(record: Record, seen: Observed) -> list[str]:
    """Return how the weights are not as the record says."""
    if not record.weights or seen.has(record.weights) or seen.variants.keys() != record.weights.keys():
        return []
    found = ", ".join(f"{name} {share:.4g}" for name, share in sorted(seen.shares.items()))
    wanted = ", ".join(f"{name} {share:.4g}" for name, share in sorted(record.weights.items()))
    return [
        f"the shares of the traffic are {found}, and should be {wanted}: the weights were changed by hand, and the"
        " next `mlops ab shift` sets them"
    ]


def at(seconds: float) -> str:
    """A time for people, in UTC."""
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%d %H:%M:%S UTC")


def _of_variants(record: Record, seen: Observed) -> Iterator[str]:
    roles = {one.slot: (role, one) for role, one in _roles(record)}
    for name in seen.variants.keys() - roles.keys():
        yield f"the endpoint {seen.endpoint} has a variant {name}, which no release put there as champion or challenger"
    for name, (role, wanted) in roles.items():
        if name not in seen.variants:
            yield f"the variant {name} of the {role} is missing in the endpoint {seen.endpoint}"
            continue
        found = seen.variants[name]
        if (found.image, found.model_data_url) != (wanted.image, wanted.model_data_url):
            yield (
                f"the variant {name} of the {role} serves the model {found.model} ({found.model_data_url},"
                f" {found.image}), not the {role}'s package {wanted.model_package_arn} ({wanted.model_data_url},"
                f" {wanted.image}): it was changed by hand"
            )


def _of_stack(seen: Observed) -> Iterator[str]:
    if seen.stack_status.endswith("_FAILED"):
        yield f"the stack {seen.endpoint} is {seen.stack_status}, so the next release fails; repair it first"
    if seen.stack_config and seen.stack_config.lower() != seen.config.lower():
        yield (
            f"the endpoint {seen.endpoint} has the configuration {seen.config}, its stack {seen.stack_config}: the"
            " endpoint was updated outside of its stack, or its update failed"
        )


def _roles(record: Record) -> Iterator[tuple[str, Deployed]]:
    if record.champion is not None:
        yield "champion", record.champion
    if record.challenger is not None:
        yield "challenger", record.challenger


def _status(pipeline: DeployedPipeline, execution_id: str) -> str:
    """Status of an execution; one that CodePipeline has forgotten has ended."""
    from botocore.exceptions import ClientError

    with explained(f"the execution {execution_id} of {pipeline.name} could not be looked up"):
        try:
            answer = pipeline.client("codepipeline").get_pipeline_execution(
                pipelineName=pipeline.name, pipelineExecutionId=execution_id
            )
        except ClientError as error:
            if code_of(error) != "PipelineExecutionNotFoundException":
                raise
            return "Cancelled"
    return str(answer["pipelineExecution"]["status"])


def _a(kind: str) -> str:
    return f"an {kind}" if kind[:1] in "aeiou" else f"a {kind}"
