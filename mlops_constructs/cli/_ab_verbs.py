"""The verbs of ``mlops ab``: what they do, and what they say."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING

from ..deployed.ab_status import status_of
from ..deployed.ab_test import ABTests
from ..errors import MlopsError
from ._ab_view import show, waiting
from ._arguments import command, read_pipeline

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from ..deployed.ab_test import Shifted


def status(options: argparse.Namespace) -> int:
    """Print the state."""
    found = status_of(_tests(options))
    if options.json:
        print(json.dumps(found.to_json(), indent=2))
    else:
        show(found)
    return 0


def shift(options: argparse.Namespace) -> int:
    """Change the share."""
    options.when_interrupted = f"`{_ab(options, 'status')}` shows which weights are live"
    with waiting(quiet=options.json) as tell:
        done = _tests(options, tell).shift(options.to)
    if options.json:
        print(json.dumps({"pipeline": options.pipeline, **_facts(done)}, indent=2))
    else:
        print(_told(options, done))
    return 0


def ramp(options: argparse.Namespace) -> int:
    """Change the share in steps."""
    steps = []
    with waiting(quiet=options.json) as tell:
        tests = _tests(options, tell)
        for done in tests.ramp(options.to, options.steps, options.every):
            steps.append(_facts(done))
            options.when_interrupted = (
                f"the challenger keeps {_percent(done.share)} of the traffic, that of the last step"
            )
            if not options.json:
                print(_told(options, done), flush=True)
    if options.json:
        print(json.dumps({"pipeline": options.pipeline, "steps": steps}, indent=2))
    return 0


def promote(options: argparse.Namespace) -> int:
    """Start the execution that promotes."""
    options.when_interrupted = "an execution that has started continues"
    with waiting(quiet=options.json) as tell:
        number, execution_id = _tests(options, tell).promote(options.override)
    if options.json:
        facts = {"pipeline": options.pipeline, "release": number, "execution_id": execution_id}
        print(json.dumps({**facts, "override": options.override}, indent=2))
    else:
        print(
            f"The challenger of {options.pipeline}, release {number}, is to become the champion with execution"
            f" {execution_id}.\nIt waits for approval once the DEV endpoint has passed its smoke test:"
            f" {command(options, 'approve')}"
        )
    return 0


def abort(options: argparse.Namespace) -> int:
    """Take the challenger's traffic away, then start the execution that removes it."""
    options.when_interrupted = f"`{_ab(options, 'status')}` shows whether the champion has all requests; run it again"
    with waiting(quiet=options.json) as tell:
        tests = _tests(options, tell)
        done = tests.abort(options.reason)
    safe = f"the champion of {options.pipeline} gets all requests"
    if not options.json:
        print(f"{safe[0].upper()}{safe[1:]}{'; the A/B test is aborted' if done.test else ''}.", flush=True)
        if done.execution is not None:
            print(f"Execution {done.execution} will fail: its challenger's test was aborted.", flush=True)
    options.when_interrupted = f"{safe}, but the challenger's instances may still run"
    facts = {"pipeline": options.pipeline, "test": done.test, "weights_changed": done.changed, "reason": options.reason}
    facts["failing_execution_id"] = done.execution
    started = None if options.keep else _clean_up(tests, safe)
    if options.json:
        execution = None if started is None else started[1]
        print(json.dumps({**facts, "execution_id": execution}, indent=2))
    elif options.keep:
        print(f"The challenger's instances still run, without requests; to remove them: {_ab(options, 'abort')}")
    elif started is None:
        print("The champion has no release record to start the pipeline on: the next release removes the challenger.")
    else:
        print(
            f"Execution {started[1]} removes the challenger, on the champion's release {started[0]}. It waits for"
            f" approval once the DEV endpoint has passed its smoke test: {command(options, 'approve')}"
        )
    return 0


def _clean_up(tests: ABTests, safe: str) -> tuple[int, str] | None:
    try:
        return tests.clean_up()
    except MlopsError as error:
        kept = f"{safe}, but the challenger's instances still run"
        raise MlopsError(f"{kept}: {error}; the next release removes them") from error


def _tests(options: argparse.Namespace, tell: Callable[[str], None] = lambda _: None) -> ABTests:
    return ABTests(read_pipeline(options), tell)


def _ab(options: argparse.Namespace, verb: str) -> str:
    """Another verb for the same pipeline, to copy."""
    return shlex.join(["mlops", "ab", verb, *shlex.split(command(options, "ab"))[2:]])


def _facts(done: Shifted) -> dict[str, object]:
    facts = {"before": done.before, "share": done.share, "weights_changed": done.changed}
    return {**facts, "instances_asked": done.instances}


def _told(options: argparse.Namespace, done: Shifted) -> str:
    if not done.changed:
        return f"The challenger of {options.pipeline} has {_percent(done.share)} of the traffic already."
    more = "" if done.instances is None else f", after its receiver got {done.instances} instances"
    return (
        f"The challenger of {options.pipeline} gets {_percent(done.share)} of the traffic now,"
        f" {_percent(done.before)} before{more}."
    )


def _percent(share: float) -> str:
    return f"{100 * share:.4g} %"
