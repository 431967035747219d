"""``mlops rehearse``: run the whole pipeline on this machine."""

from __future__ import annotations

import gc
import json
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._payload import payload
from ..deployed.data_files import DATA_HELP
from ..errors import MlopsError
from ..local_aws.scratch import scratch_folder
from ..local_aws.user_cache import cache_folder
from ._faults import add_faults, asks_for_list, check_faults, described, injected, list_faults, require_all
from ._keeping import Keeper, add_keeping, new_folder, resume
from .synth import synthesize

if TYPE_CHECKING:
    import argparse

    from ..local_aws.faults.faults import Faults
    from ..local_aws.snapshot.folder import KeptFolder
    from ..rehearsal.data import RehearsalData
    from ..rehearsal.rehearse import Rehearsal
    from ._view import View


_NO_IAM = "IAM policies were not enforced (--no-iam): a call that AWS would deny has succeeded here."


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe the command."""
    parser = commands.add_parser(
        "rehearse",
        help="run the whole pipeline on this machine, without an AWS account",
        description="Apply the synthesized stack to a local AWS with real Terraform, then run the deployed pipeline.",
    )
    answer = parser.add_mutually_exclusive_group()
    answer.add_argument("--approve", action="store_true", help="approve without asking")
    answer.add_argument("--reject", action="store_true", help="reject without asking")
    add_keeping(parser)
    parser.add_argument(
        "--data",
        nargs="+",
        metavar="PATH",
        help=f"{DATA_HELP}; the channel holdout is for the production endpoint (default: the iris data)",
    )
    parser.add_argument("--golden", type=Path, metavar="FILE", help="golden records, as of `mlops upload`")
    parser.add_argument("--contract", type=Path, metavar="FILE", help="data contract of the data, as JSON")
    parser.add_argument(
        "--app", metavar="COMMAND", help="command that synthesizes the stack (default: that of cdktf.json)"
    )
    parser.add_argument("--stack", metavar="NAME", help="needed only when the app has several")
    parser.add_argument(
        "--pipeline", metavar="NAME", help="needed only when the stack has several; a prefix of its name is enough"
    )
    parser.add_argument("--port", type=int, default=0, help="loopback port of the local AWS (default: a free one)")
    parser.add_argument(
        "--no-docker", action="store_true", help="run the container's programs as processes, without Docker"
    )
    parser.add_argument("--no-iam", action="store_true", help="do not enforce IAM policies; AWS does")
    _add_replacements(parser)
    add_faults(parser)
    parser.add_argument("--json", action="store_true", help="print the result as JSON on standard output")
    parser.add_argument("--verbose", action="store_true", help="also show what the local AWS does")
    parser.set_defaults(run=run)


def _add_replacements(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--image",
        action="append",
        default=[],
        metavar="URI=FOLDER",
        help="container folder to run instead of an image that is not built here, such as a built-in algorithm's",
    )
    parser.add_argument(
        "--repository",
        action="append",
        default=[],
        metavar="OWNER/REPOSITORY=FOLDER",
        help="folder or git repository to read instead of a repository behind a connection",
    )


def run(options: argparse.Namespace) -> int:
    """Rehearse; raise MlopsError with the reason when production does not respond at the end."""
    if asks_for_list(options):
        print(list_faults())
        return 0
    if options.resume:
        try:
            return resume(options)
        except ModuleNotFoundError as error:
            raise _missing(error) from None
    _check(options)
    return _run(options)


def _run(options: argparse.Namespace) -> int:
    try:
        from ..rehearsal.stand_ins import StandIns
        from ..rehearsal.terraform import find_program
        from ._view import make_view
    except ModuleNotFoundError as error:
        raise _missing(error) from None
    check_faults(options.fault)
    stand_ins = StandIns.parse(options.image, options.repository, container=payload("container"))
    find_program()
    own = None if options.data is None else _own_data(options)
    # moto and botocore's models are hundreds of thousands of objects that live to the end: at the default thresholds, a
    # third of this process's time is spent on looking through them.
    gc.set_threshold(50_000, 10, 10)
    with (
        make_view(options) as view,
        scratch_folder("mlops-synth-") as output,
        new_folder(wanted=options.keep) as folder,
    ):
        # moto takes as long to import as the app takes to synthesize.
        with ThreadPoolExecutor(1) as beside, view.step("Synth", "cdk.tf.json"):
            prepared = beside.submit(_prepare, own)
            stack = synthesize(options.app, output, options.stack)
            _check_stack(stack, options)
        rehearsal_class, data = prepared.result()
        rehearsal = rehearsal_class(
            stack,
            data,
            view,
            pipeline=options.pipeline,
            port=options.port,
            docker=not options.no_docker,
            iam=not options.no_iam,
            stand_ins=stand_ins,
        )
        code = _rehearse(rehearsal, view, options, folder)
    # At exit, the interpreter would spend seconds on the objects of the local AWS.
    gc.freeze()
    return code


def _own_data(options: argparse.Namespace) -> RehearsalData:
    from ..rehearsal.data import RehearsalData

    return RehearsalData.find(options.data, golden=options.golden, contract=options.contract)


def _prepare(own: RehearsalData | None) -> tuple[type[Rehearsal], RehearsalData]:
    try:
        from ..rehearsal.data import RehearsalData
        from ..rehearsal.rehearse import Rehearsal
    except ModuleNotFoundError as error:
        raise _missing(error) from None
    return Rehearsal, own or RehearsalData.iris()


def _missing(error: ModuleNotFoundError) -> MlopsError:
    return MlopsError(
        f"this command needs the rehearsal extra (no module {error.name!r}): pip install 'mlops-constructs[rehearsal]'"
    )


def _check(options: argparse.Namespace) -> None:
    if not (options.approve or options.reject or sys.stdin.isatty()):
        raise MlopsError("nobody can approve here: give --approve or --reject, or run in a terminal")
    if options.data is None and (options.golden or options.contract):
        raise MlopsError("--golden and --contract need --data")
    if not 0 <= options.port <= 65535:
        raise MlopsError(f"--port must be 0 to 65535, got {options.port}")
    cache_folder()


def _check_stack(stack: Path, options: argparse.Namespace) -> None:
    """Refuse before the apply a pipeline or a name in a fault that the stack does not have, where it names them."""
    check_faults(options.fault, stack)
    wanted = options.pipeline
    made = (
        json.loads((stack / "cdk.tf.json").read_text(encoding="utf-8")).get("resource", {}).get("aws_codepipeline", {})
    )
    names = [one["name"] for one in made.values()]
    if wanted is None or "${" in "".join(names) or any(f"{name}-".startswith(f"{wanted}-") for name in names):
        return
    raise MlopsError(f"the stack has no pipeline {wanted!r}; it has: {', '.join(sorted(names)) or 'none'}")


def _rehearse(rehearsal: Rehearsal, view: View, options: argparse.Namespace, folder: KeptFolder | None) -> int:
    with (
        rehearsal,
        injected(options, rehearsal.aws, view) as faults,
        Keeper(rehearsal.aws, folder, view) as keeper,
    ):
        try:
            keeper.begin(rehearsal.deploy().name)
            rehearsal.build_image()
            rehearsal.run()
            rehearsal.ask_production()
            require_all(faults, view)
        except MlopsError as error:
            if faults is not None and options.json:
                print(json.dumps(_as_json(rehearsal, faults) | {"error": str(error)}, indent=2))
            if not options.keep:
                raise
            view.close()
            view.say(f"Failed: {error}")
            keeper.keep()
            return 1
        if options.keep:
            _report(rehearsal, view, options, faults)
            keeper.keep()
            return 0
        if faults is not None:
            faults.close()
        rehearsal.destroy()
        _report(rehearsal, view, options, faults)
        return 0


def _report(rehearsal: Rehearsal, view: View, options: argparse.Namespace, faults: Faults | None) -> None:
    from ..deployed import scores

    result = rehearsal.result
    view.close()
    if options.json:
        print(json.dumps(_as_json(rehearsal, faults), indent=2))
        return
    answer = f"Production endpoint {result.production_endpoint}"
    if result.metrics:
        verb = "classified" if "accuracy" in result.metrics else "predicted"
        answer += f" {verb} {result.rows} held-out rows: {scores.described(result.metrics)}"
    view.say(answer)
    if not result.iam:
        view.say(_NO_IAM)


def _as_json(rehearsal: Rehearsal, faults: Faults | None) -> dict[str, Any]:
    return asdict(rehearsal.result) | {"faults": described(faults)}
