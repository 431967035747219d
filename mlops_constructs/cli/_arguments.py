"""The arguments that all commands for a deployed pipeline share."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the pipeline's name, its region, and the output format."""
    parser.add_argument("pipeline", metavar="PIPELINE", help="name of the pipeline: the output `pipeline` of the stack")
    parser.add_argument("--region", help="AWS region (default: that of your AWS configuration)")
    parser.add_argument("--json", action="store_true", help="print the result as JSON on standard output")
