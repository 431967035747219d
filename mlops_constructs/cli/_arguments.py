"""What the commands for a deployed pipeline take."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the pipeline, where it is, and how its facts are printed."""
    parser.add_argument("pipeline", metavar="PIPELINE", help="name of the pipeline, as `terraform output` shows it")
    parser.add_argument("--region", help="AWS region; that of your AWS configuration unless given")
    parser.add_argument("--json", action="store_true", help="print the result as JSON on standard output")
