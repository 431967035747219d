"""``mlops ab``: operate the A/B test of a pipeline."""

from __future__ import annotations

import argparse
import re
from typing import TYPE_CHECKING

from ._arguments import add_arguments

if TYPE_CHECKING:
    from collections.abc import Callable

# Of ABTest's challenger_weight too.
_LEAST, _MOST = 0.001, 0.999
_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_MAX_STEPS = 100


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe the command and its verbs."""
    parser = commands.add_parser(
        "ab",
        help="operate the A/B test of a pipeline: status, shift, ramp, promote, abort",
        description="Operate the A/B test of champion and challenger.",
    )
    verbs = parser.add_subparsers(dest="ab_command", required=True, metavar="command")
    _add_status(verbs)
    _add_shift(verbs)
    _add_ramp(verbs)
    _add_promote(verbs)
    _add_abort(verbs)


def _add_status(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    _verb(
        verbs,
        "status",
        "show the roles, the traffic, the verdict, and what is not as it should be",
        "Show champion and challenger, weights, requests, errors and latency of both, the metric with its interval, the"
        " verdict, how much longer it may take, and where the record, the stack and the endpoint do not agree. It"
        " changes nothing; looking often does no harm to the verdict.",
    )


def _add_shift(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = _verb(
        verbs,
        "shift",
        "change the challenger's share of the traffic",
        "Change the weights of both variants, and write down since when. Where autoscaling allows it, the variant that"
        " gets more has more instances before.",
    )
    parser.add_argument("--to", required=True, type=_share, metavar="SHARE", help="challenger's: 25%% or 0.25")


def _add_ramp(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = _verb(
        verbs,
        "ramp",
        "change the challenger's share in steps",
        "Change the challenger's share in equal steps, with waits between them. Before each step it looks at the"
        " report, and stops when that says to abort or to investigate. The steps follow the clock, fixed before:"
        " so the statistics stay exact. A share that follows the results does not have this quality while outcomes of"
        " earlier requests are missing.",
    )
    parser.add_argument("--to", required=True, type=_share, metavar="SHARE", help="challenger's at the end")
    parser.add_argument("--steps", type=_steps, default=4, metavar="N", help=f"1 to {_MAX_STEPS} (default: 4)")
    parser.add_argument(
        "--every", type=_seconds, default=1800.0, metavar="TIME", help="between two steps: 30m, 2h or 1d (default: 30m)"
    )


def _add_promote(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = _verb(
        verbs,
        "promote",
        "make the challenger the champion, through the pipeline",
        "Start the pipeline on the challenger's release: with the approval, the change set and the record of every"
        " release. Refused unless the report says so.",
    )
    parser.add_argument(
        "--override", type=_reason, metavar="REASON", help="promote although the report does not say so; it is recorded"
    )


def _add_abort(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = _verb(
        verbs,
        "abort",
        "give the champion all requests at once, and remove the challenger",
        "Give the champion all requests at once and end the test; then start the pipeline, which removes the"
        " challenger. You can repeat it.",
    )
    parser.add_argument("--reason", type=_reason, default="aborted with mlops ab abort", metavar="TEXT", help="why")
    parser.add_argument("--keep", action="store_true", help="keep the challenger's instances, without requests")


def _verb(
    verbs: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    help_: str,
    description: str,
) -> argparse.ArgumentParser:
    parser = verbs.add_parser(name, help=help_, description=description)
    add_arguments(parser)
    parser.set_defaults(run=run, when_interrupted="nothing was changed")
    return parser


def run(options: argparse.Namespace) -> int:
    """Do what the verb says."""
    # Every other command would wait for these imports too.
    from . import _ab_verbs

    options.command = f"ab {options.ab_command}"
    verb: Callable[[argparse.Namespace], int] = getattr(_ab_verbs, options.ab_command)
    return verb(options)


def _share(text: str) -> float:
    match = re.fullmatch(r"(\d*\.?\d+)\s*(%?)", text)
    share = float(match[1]) / (100.0 if match[2] else 1.0) if match else -1.0
    if not _LEAST <= share <= _MOST:
        raise argparse.ArgumentTypeError(
            f"must be a share from {100 * _LEAST:g}% to {100 * _MOST:g}%, such as 25% or 0.25, got {text!r}; to end the"
            " test, promote or abort"
        )
    return share


def _steps(text: str) -> int:
    if not re.fullmatch(r"\d{1,3}", text) or not 1 <= int(text) <= _MAX_STEPS:
        raise argparse.ArgumentTypeError(f"must be a number of steps from 1 to {_MAX_STEPS}, got {text!r}")
    return int(text)


def _seconds(text: str) -> float:
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd])", text)
    if match is None or not float(match[1]):
        raise argparse.ArgumentTypeError(f"must be a time such as 30m, 2h or 1d, got {text!r}")
    return float(match[1]) * _UNITS[match[2]]


def _reason(text: str) -> str:
    if not text.strip():
        raise argparse.ArgumentTypeError("must be a reason, got nothing")
    return text.strip()
