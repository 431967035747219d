"""The arguments that say which synthesized stack a command is about, and where Terraform's state of it is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse


def add_stack_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the app, its stack and pipeline, the region and the state."""
    parser.add_argument(
        "--app", metavar="COMMAND", help="command that synthesizes the stack (default: that of cdktf.json)"
    )
    parser.add_argument("--stack", metavar="NAME", help="needed only when the app has several")
    parser.add_argument("--pipeline", metavar="NAME", help="only this pipeline; a prefix of its name is enough")
    parser.add_argument("--region", help="AWS region (default: that of the stack's provider)")
    parser.add_argument(
        "--state",
        type=Path,
        metavar="FILE",
        help="output of `terraform state pull` (default: the state of a local backend)",
    )
