"""``mlops teardown``: delete what a pipeline created at run time, before ``terraform destroy``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ..deployed.teardown import Teardown
from ..errors import MlopsError
from ._arguments import add_arguments, read_pipeline

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from ..deployed.teardown import Made


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe the command."""
    parser = commands.add_parser(
        "teardown",
        help="delete what a pipeline created and Terraform does not know, before a destroy",
        description="Stop the running executions, then delete the endpoints with their stacks, and the model"
        " packages. Terraform does not know them: a destroy without this command leaves the endpoints running and"
        " billed, deletes the roles that could delete them, and fails. You can repeat it after an interruption.",
    )
    add_arguments(parser)
    parser.add_argument("--dry-run", action="store_true", help="only list what would be deleted")
    parser.add_argument("--yes", action="store_true", help="delete it; the production endpoint stops responding")
    parser.add_argument(
        "--data",
        action="store_true",
        help="also delete data sets, models, records, captured requests and images, which a destroy of a pipeline with"
        " removal='retain' refuses to delete",
    )
    parser.set_defaults(run=run, when_interrupted="what was deleted stays deleted; run it again to delete the rest")


def run(options: argparse.Namespace) -> int:
    """List or delete; raise MlopsError without --yes, or when something could not be deleted."""
    pipeline = read_pipeline(options)
    found = Teardown(pipeline, data=options.data).found()
    if options.dry_run or not found:
        _report(options, found, [])
        return 0
    if not options.yes:
        _report(options, found, [])
        raise MlopsError(
            "nothing was deleted: give --yes to delete this; the production endpoint then stops responding"
        )
    for made in found:
        if not options.json:
            print(f"deleting {made.kind} {made.name}", flush=True)
        made.delete()
    _report(options, [], found)
    return 0


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
    if not left:
        print(f"{options.pipeline} has nothing that Terraform does not know: run terraform destroy.")
