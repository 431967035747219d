"""``mlops data check``: what the pipeline would say about a data set, before it is uploaded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from ..deployed.data_files import DATA_HELP, find_data
from ..deployed.data_plan import check_upload, plan_set

if TYPE_CHECKING:
    import argparse


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe the command."""
    parser = commands.add_parser(
        "data",
        help="check a data set before it is uploaded",
        description="Work with data sets on this machine.",
    )
    check = parser.add_subparsers(dest="data_command", required=True, metavar="command").add_parser(
        "check",
        help="say what the pipeline would say",
        description="Check a data set with the code of the pipeline's first action, CheckDataset, and say all of its"
        " problems. Exit code 1 if there are any.",
        epilog="The limits are the defaults of Dataset. Give the pipeline's data contract with --contract.",
    )
    check.add_argument("data", nargs="+", metavar="PATH", help=DATA_HELP)
    check.add_argument("--golden", type=Path, metavar="FILE", help="golden records, as of `mlops upload`")
    check.add_argument(
        "--contract",
        type=Path,
        metavar="FILE",
        help="data contract, as JSON (default: contract.json in a folder, FILE.contract.json beside a single file)",
    )
    check.add_argument("--json", action="store_true", help="print the result as JSON on standard output")
    check.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Check; return 1 when something is wrong with the data."""
    data = find_data(options.data, golden=options.golden, contract=options.contract)
    if data.alone is not None:
        check_upload(data.alone)
    else:
        plan_set(data.name, data.channels, golden=data.golden, contract=data.contract)
    # boto3 takes as long to import as most checks.
    from ._data_check import check_data

    verdict = check_data(data)
    if options.json:
        print(json.dumps({"problems": verdict.problems, **verdict.facts, "summary": verdict.summary}, indent=2))
    else:
        print("\n".join(verdict.problems or [f"{verdict.summary}. No problems."]))
    return 1 if verdict.problems else 0
