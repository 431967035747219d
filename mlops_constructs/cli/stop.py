"""``mlops stop``: stop a running execution."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ..errors import MlopsError
from ._arguments import add_arguments, command, read_pipeline

if TYPE_CHECKING:
    import argparse


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe the command."""
    parser = commands.add_parser(
        "stop",
        help="stop a running execution, and its training job",
        description="Stop a running execution at the end of its current actions. Its training job is stopped as well.",
    )
    add_arguments(parser)
    parser.add_argument("--execution", metavar="ID", help="which one (default: the only one that runs)")
    parser.add_argument("--abandon", action="store_true", help="do not wait for the current actions to end")
    parser.add_argument(
        "--reason", default="stopped with mlops stop", metavar="TEXT", help="why; CodePipeline keeps it"
    )
    parser.set_defaults(run=run, when_interrupted="the execution may be stopping")


def run(options: argparse.Namespace) -> int:
    """Stop it; raise MlopsError when none runs, or several do and none is chosen."""
    pipeline = read_pipeline(options)
    newest = pipeline.executions.newest()
    running = [one["pipelineExecutionId"] for one in newest if one["status"] in ("InProgress", "Stopping")]
    if not running:
        raise MlopsError(f"no execution of {pipeline.name} is running")
    if options.execution is None and len(running) > 1:
        raise MlopsError(
            f"{len(running)} executions of {pipeline.name} are running; choose one with --execution: {_list(running)}"
        )
    if options.execution not in (None, *running):
        raise MlopsError(f"execution {options.execution} of {pipeline.name} is not running; running: {_list(running)}")
    execution_id = options.execution or running[0]
    waiting = pipeline.executions.waiting()
    if waiting is not None and waiting.execution_id == execution_id and not options.abandon:
        raise MlopsError(
            f"execution {execution_id} waits for approval, and would stop only when somebody has decided:"
            f" give --abandon, or {command(options, 'reject')}"
        )
    pipeline.executions.stop(execution_id, options.reason, abandon=options.abandon)
    if options.json:
        print(json.dumps({"pipeline": pipeline.name, "execution_id": execution_id, "status": "Stopping"}, indent=2))
    else:
        print(f"Execution {execution_id} of {pipeline.name} is stopping.")
    return 0


def _list(ids: list[str]) -> str:
    return ", ".join(reversed(ids))
