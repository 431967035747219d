"""``mlops doctor``: is this machine ready."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from ..errors import MlopsError
from ._findings import line

if TYPE_CHECKING:
    import argparse

    from ..doctor import Finding


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe the command."""
    parser = commands.add_parser(
        "doctor",
        help="check whether this machine is ready, and say what to do if it is not",
        description="Check Python, Node.js, jsii, Terraform and its AWS provider. Exit code 1: one of them is broken.",
    )
    parser.add_argument("--json", action="store_true", help="print the findings as JSON on standard output")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print each finding as soon as it is known; return 1 when something is broken."""
    try:
        from ..doctor import examine
    except ImportError as error:
        raise MlopsError(str(error)) from None
    findings: list[Finding] = []
    for finding in examine():
        findings.append(finding)
        if not options.json:
            print(line(finding), flush=True)
    if options.json:
        print(json.dumps([asdict(finding) for finding in findings], indent=2))
    return 1 if any(finding.state == "broken" for finding in findings) else 0
