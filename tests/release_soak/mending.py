"""The end of a run: the next release succeeds, or its failure names the command that mends it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from botocore import xform_name
from botocore.exceptions import ClientError
from soaks import check

from release_soak.invariants import check_all
from release_soak.site import GOOD
from release_soak.steps import APPROVE

if TYPE_CHECKING:
    from collections.abc import Callable

    from release_soak.run import Run

_TRIES = 3
# A command may name what to add if it fails again.
_COMMAND = re.compile(
    r"aws (?P<service>[a-z]+) (?P<operation>[a-z-]+)(?P<options>( --[a-z-]+ [^\s;,(]+)+)"
    r"( \(if it fails again [^()]+, with(?P<again> --[a-z-]+ [^\s()]+)\))?"
)
_OPTION = re.compile(r"--([a-z-]+) ([^\s;,(]+)")
_RESUME = re.compile(r"mlops resume (?P<pipeline>[a-z0-9-]+)")
_IMAGE = re.compile(r"start the pipeline (?P<pipeline>\S+-image)")


def mend(run: Run) -> None:
    """Release; when that fails, run the command that its failure names, and release again."""
    tried: set[str] = set()
    for _ in range(_TRIES):
        before = run.world.facts
        run.told.append(f"   {run.release(GOOD, APPROVE)}")
        run.rest()
        run.world.facts = run.world.look()
        check_all(run.world, before, run.world.facts)
        newest = run.world.facts.ran[-1]
        run.told.append(f"   {newest.id[:8]} {newest.status} {newest.reason}")
        if newest.status == "Succeeded":
            return
        commands = [*_commands(run, newest.reason, tried)]
        check(commands, f"what went wrong is over, and a release fails without naming a command: {newest.reason}")
        for command in commands:
            command()
            run.rest()
    check(False, f"no release succeeds any more: {newest.reason}")


def _commands(run: Run, reason: str, tried: set[str]) -> list[Callable[[], object]]:
    site = run.site

    def call(service: str, operation: str, options: dict[str, str]) -> None:
        run.told.append(f"   aws {service} {operation} {options}")
        try:
            getattr(site.client(service), xform_name(operation.replace("-", "_")))(**options)
        except ClientError as error:
            run.told.append(f"   {error}")

    found: list[Callable[[], object]] = []
    for match in _COMMAND.finditer(reason):
        options = match["options"] + (match["again"] or "") * (match["options"] in tried)
        tried.add(match["options"])
        given = {_member(name): value.rstrip(".") for name, value in _OPTION.findall(options)}
        found.append(lambda match=match, given=given: call(match["service"], match["operation"], given))  # type: ignore[misc]
    for _ in _RESUME.finditer(reason):
        found.append(lambda: site.resume(run.told))
    for match in _IMAGE.finditer(reason):
        name = match["pipeline"]
        found.append(lambda name=name: site.client("codepipeline").start_pipeline_execution(name=name))  # type: ignore[misc]
    return found


def _member(option: str) -> str:
    return "".join(part.capitalize() for part in option.split("-"))
