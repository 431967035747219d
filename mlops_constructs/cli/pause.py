"""``mlops pause`` and ``mlops resume``: endpoints away for a while, and back with the same model."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

from ..deployed.pause import Pause
from ..errors import MlopsError
from ._arguments import add_arguments, command, read_pipeline

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from ..deployed import DeployedPipeline
    from ..deployed.pause import EndpointPause

_INTERRUPTED = "CloudFormation finishes what it has begun; run it again to see the result"


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe both commands."""
    pause = commands.add_parser(
        "pause",
        help="delete endpoints for a while; their models and releases stay",
        description="Delete endpoints, so that they cost nothing, and keep everything that they are made of. `mlops"
        " resume` brings them back with the same model; a release does too. Callers get an error meanwhile. Refused"
        " while an execution deploys an endpoint, and while an A/B test occupies it.",
    )
    pause.add_argument("--yes", action="store_true", help="delete them; the endpoints stop responding")
    resume = commands.add_parser(
        "resume",
        help="bring endpoints back with the same model: paused ones, and what was deleted by hand",
        description="Create paused endpoints again, with the model, the parameters and the scaling that they had, and"
        " check that they serve exactly that model. Of an endpoint that is not paused, create again what somebody has"
        " deleted by hand: the endpoint, its configuration (callers notice nothing), its autoscaling.",
    )
    for parser, run in ((pause, run_pause), (resume, run_resume)):
        add_arguments(parser)
        parser.add_argument("--dev", action="store_true", help="the DEV endpoint (default: production)")
        parser.add_argument("--production", action="store_true", help="the production endpoint")
        parser.set_defaults(run=run, when_interrupted=_INTERRUPTED)


def run_pause(options: argparse.Namespace) -> int:
    """Pause; raise MlopsError without --yes, or with the reason why an endpoint cannot be paused."""
    pipeline, names = _chosen(options)
    pause = _prepared(pipeline)
    for name in names:
        pause.check(name)
    if not options.yes:
        raise MlopsError(
            f"nothing was paused: give --yes to delete the endpoint of {' and of '.join(names)}; callers then get an"
            f" error until `{_resume(options)}`"
        )
    _report(options, [pause.pause(name) for name in names])
    return 0


def run_resume(options: argparse.Namespace) -> int:
    """Resume; raise MlopsError with the reason why an endpoint does not come back."""
    pipeline, names = _chosen(options)
    pause = _prepared(pipeline)
    _report(options, [pause.resume(name) for name in names])
    return 0


def _chosen(options: argparse.Namespace) -> tuple[DeployedPipeline, list[str]]:
    """The stacks that the options name; production without one."""
    pipeline = read_pipeline(options)
    dev, production = pipeline.stacks[0], pipeline.stacks[-1]
    return pipeline, [*([dev] if options.dev else []), *([production] if options.production or not options.dev else [])]


def _resume(options: argparse.Namespace) -> str:
    """The command that brings back the endpoints that the options name."""
    return command(options, "resume", *(f"--{one}" for one in ("dev", "production") if getattr(options, one)))


def _prepared(pipeline: DeployedPipeline) -> Pause:
    def tell(sentence: str) -> None:
        print(sentence, file=sys.stderr, flush=True)

    # A local AWS needs seconds for what takes AWS minutes.
    return Pause(pipeline, tell=tell) if pipeline.is_in_aws else Pause(pipeline, tell=tell, poll_seconds=0.2)


def _report(options: argparse.Namespace, found: Sequence[EndpointPause]) -> None:
    if options.json:
        print(json.dumps({"pipeline": options.pipeline, "endpoints": [asdict(one) for one in found]}, indent=2))
        return
    for one in found:
        already = "" if one.changed else "already "
        for what in one.repaired:
            print(f"{what} was deleted by hand, and is created again.")
        if one.paused_at is None:
            print(f"{one.stack} {already}serves {one.model_package_arn}.")
        else:
            print(
                f"{one.stack} is {already}paused, since {one.paused_at}; {_resume(options)} brings"
                f" {one.model_package_arn} back."
            )
