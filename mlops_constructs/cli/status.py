"""``mlops status``: what a pipeline does, and what waits for a person."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from ..deployed.overview import Overview
from ._arguments import add_arguments, command, read_pipeline

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from ..deployed.overview import ExecutionState


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe the command."""
    parser = commands.add_parser(
        "status",
        help="show executions, what waits for approval, and the endpoints",
        description="Show the newest executions of a pipeline, what the approver reads where one waits, and the"
        " endpoints.",
    )
    add_arguments(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the state."""
    overview = Overview.of(read_pipeline(options))
    print(json.dumps(asdict(overview), indent=2) if options.json else "\n".join(_lines(overview, options)))
    return 0


def _lines(overview: Overview, options: argparse.Namespace) -> Iterator[str]:
    release = "no release yet" if overview.release is None else f"release {overview.release}"
    yield f"{overview.pipeline}: {release}"
    if overview.image is not None:
        yield f"  image       {overview.image}"
    for endpoint, name in zip(overview.endpoints, ("DEV", "production"), strict=False):
        yield f"  {name:<11} {' '.join(filter(None, (endpoint.status, endpoint.instances)))}"
    if overview.unrecorded is not None:
        execution = overview.unrecorded
        yield f"    It serves the model of execution {execution}, which ended before its release was recorded."
        yield "    Retry the stage DeployProduction of that execution in CodePipeline, or release again."
    running = [one for one in overview.executions if one.status == "InProgress"]
    for one in overview.executions:
        yield from _execution(one, running)
        if one.evidence:
            yield f"    {command(options, 'approve')}, or {command(options, 'reject')} --reason TEXT"
    if not overview.executions:
        yield "  no execution yet"


def _execution(one: ExecutionState, running: list[ExecutionState]) -> Iterator[str]:
    # Executions run one after the other; a queued one has no action yet.
    is_queued = one.status == "InProgress" and not one.place and one is not running[-1]
    place = f"queue, behind {running[-1].execution_id}" if is_queued else one.place
    yield f"  execution   {one.execution_id}  {one.started_at}  {one.status}{f' at {place}' if place else ''}"
    if one.why:
        yield f"    started because {one.why}"
    if one.reason:
        yield f"    {one.reason}"
    if one.evidence:
        yield "    It waits for approval. The approver reads:"
        yield from (f"      {line}" for line in one.evidence.splitlines())
