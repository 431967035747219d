"""``mlops teardown``: delete what a pipeline created at run time, before ``terraform destroy``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ..deployed.teardown import Teardown
from ..errors import MlopsError
from ._arguments import add_arguments, command, read_pipeline

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from ..deployed.made import Made


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe the command."""
    parser = commands.add_parser(
        "teardown",
        help="delete what a pipeline created and Terraform does not know, before a destroy",
        description="Take no more executions, stop those that run and their jobs, then delete the endpoints with their"
        " stacks, what is in no stack any more, and the model packages. Terraform does not know them. You can repeat it"
        " after an interruption.",
    )
    add_arguments(parser)
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument("--dry-run", action="store_true", help="only list what would be deleted")
    choice.add_argument(
        "--cancel",
        action="store_true",
        help="take executions again, when you do not destroy the pipeline after all; deletes nothing",
    )
    parser.add_argument("--yes", action="store_true", help="delete it; the production endpoint stops responding")
    parser.add_argument(
        "--data",
        action="store_true",
        help="also delete data sets, models, records, captured requests, images and logs of endpoints, which a destroy"
        " of a pipeline with removal='retain' refuses to delete",
    )
    parser.set_defaults(run=run, when_interrupted="what was deleted stays deleted; run it again to delete the rest")


def run(options: argparse.Namespace) -> int:
    """List or delete; raise MlopsError without --yes, or when something could not be deleted."""
    if options.cancel:
        options.when_interrupted = "run it again: executions may wait until then"
    elif options.dry_run or not options.yes:
        options.when_interrupted = "nothing was deleted"
    teardown = Teardown(read_pipeline(options), data=options.data)
    if options.cancel:
        teardown.cancel()
        if options.json:
            _report(options, [], [])
        else:
            print(f"{options.pipeline} takes executions again.")
        return 0
    found = teardown.found()
    if options.dry_run or not (found or options.yes):
        _report(options, found, [])
        return 0
    if not options.yes:
        _report(options, found, [])
        raise MlopsError(
            "nothing was deleted: give --yes to delete this; the production endpoint then stops responding"
        )
    _report(options, [], teardown.run(lambda made: _tell(options, made)))
    return 0


def _tell(options: argparse.Namespace, made: Made) -> None:
    if not options.json:
        print(f"deleting {made.kind} {made.name}", flush=True)


def _report(options: argparse.Namespace, left: Sequence[Made], deleted: Sequence[Made]) -> None:
    if options.json:
        listed = {
            "pipeline": options.pipeline,
            "deleted": [{"kind": one.kind, "name": one.name} for one in deleted],
            "left": [{"kind": one.kind, "name": one.name} for one in left],
        }
        print(json.dumps(listed, indent=2))
        return
    for made in left:
        print(f"{made.kind} {made.name}")
    if not left and options.yes and not options.dry_run:
        print(
            f"{options.pipeline} has nothing that Terraform does not know, and takes no executions: run cdktf destroy."
            f" To use it again instead: {command(options, 'teardown', '--cancel')}"
        )
    elif not left:
        print(f"{options.pipeline} has nothing that Terraform does not know: run cdktf destroy.")
