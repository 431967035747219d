"""The faults of a rehearsal: what may be given, how they are shown, and that each has happened."""

from __future__ import annotations

import json
from contextlib import contextmanager
from random import Random
from typing import TYPE_CHECKING, Any

from ..errors import MlopsError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from ..local_aws.faults.fault import Fault, Firing
    from ..local_aws.faults.faults import Faults
    from ..local_aws.local_aws import LocalAws
    from ..rehearsal.progress import Watcher

HELP = "help"
_HEAD = """Faults of `mlops rehearse --fault NAME[:ARGUMENT...][:OPTION=VALUE...]`, which may be repeated.
A name of a thing is its whole name, a part of it between hyphens, or a pattern with *."""


def add_faults(parser: argparse.ArgumentParser) -> None:
    """Describe the options."""
    parser.add_argument(
        "--fault",
        action="append",
        default=[],
        metavar="NAME[:ARGS]",
        help="let something go wrong, such as kill:train_model:after=CreateTrainingJob; may be repeated",
    )
    parser.add_argument("--list-faults", action="store_true", help="list the faults, with how each is written")
    parser.add_argument(
        "--seed", type=int, default=0, help="decides where faults leave something to chance (default: 0)"
    )


def asks_for_list(options: argparse.Namespace) -> bool:
    """Whether the list of faults is all that is wanted."""
    return bool(options.list_faults or HELP in options.fault)


def list_faults() -> str:
    """Return every fault: what happens, how it is written, and an example."""
    from ..local_aws.faults.kinds import KINDS

    parts = [f"{name}: {kind.summary}\n    {kind.usage(name)}\n    {kind.example}" for name, kind in KINDS.items()]
    return "\n".join((_HEAD, "", *parts))


def check_faults(texts: Sequence[str], stack: Path | None = None) -> None:
    """Refuse, before anything starts, what is no fault; and what names a function or action that a stack has not.

    Raises:
        MlopsError: with what is allowed.
    """
    if not texts:
        return
    from ..local_aws.faults.errors import FaultError
    from ..local_aws.faults.kinds import make_fault
    from ..local_aws.faults.known import Known

    known = Known() if stack is None else Known(*_names_in(stack))
    for text in texts:
        try:
            known.check(make_fault(text, (), {}, Random(0)))
        except FaultError as error:
            raise MlopsError(f"--fault {text!r}: {error}") from None


def _names_in(stack: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the names of the functions and actions of a synthesized stack; none where a name is a reference."""
    resources = json.loads((stack / "cdk.tf.json").read_text(encoding="utf-8")).get("resource", {})
    functions = [one["function_name"] for one in resources.get("aws_lambda_function", {}).values()]
    pipelines = resources.get("aws_codepipeline", {}).values()
    actions = [action["name"] for one in pipelines for stage in one["stage"] for action in stage["action"]]
    return _literals(functions), _literals(actions)


def _literals(names: list[str]) -> tuple[str, ...]:
    return () if any("${" in name for name in names) else tuple(names)


@contextmanager
def injected(options: argparse.Namespace, aws: LocalAws, view: Watcher) -> Iterator[Faults | None]:
    """Inject the faults, and show when each happens."""
    if not options.fault:
        yield None
        return
    from ..local_aws.faults.errors import FaultError
    from ..local_aws.faults.faults import Faults

    with Faults(aws, options.seed) as faults:
        faults.listen(lambda fault, firing: _show(view, fault, firing))
        try:
            for text in options.fault:
                fault = faults.inject(text)
                if not fault.fired:
                    _update(view, fault, "waiting", "")
        except FaultError as error:
            raise MlopsError(f"--fault {text!r}: {error}") from None
        yield faults


def described(faults: Faults | None) -> list[dict[str, Any]]:
    """Return what ``--json`` says of them."""
    return [
        {
            "fault": fault.text,
            "fired": fault.fired,
            "firings": [{"at": one.at.isoformat(timespec="milliseconds"), "what": one.what} for one in fault.firings],
            **({"problem": fault.problem} if fault.problem else {}),
        }
        for fault in faults or ()
    ]


def require_all(faults: Faults | None, view: Watcher) -> None:
    """Require that every fault has happened.

    Raises:
        MlopsError: with those that have not.
    """
    missed = [] if faults is None else faults.never_fired
    for fault in missed:
        _update(view, fault, "failed", fault.problem or "it has not happened")
    if missed:
        lines = "".join(f"\n  {fault.text}" + (f": {fault.problem}" if fault.problem else "") for fault in missed)
        raise MlopsError(
            f"these faults have not happened, so the rehearsal says nothing about them:{lines}\n"
            "Is the operation called by this caller, and often enough? --verbose shows what the local AWS does."
        )


def _show(view: Watcher, fault: Fault, firing: Firing) -> None:
    more = f" (time {fault.fired})" if fault.fired > 1 else ""
    _update(view, fault, "succeeded", f"{firing.what}{more}")


def _update(view: Watcher, fault: Fault, state: Any, detail: str) -> None:
    from ..rehearsal.progress import Update

    view.update(Update(group="Faults", name=fault.text, state=state, detail=detail))
