"""``mlops outcomes``: report what has become of requests, for an A/B test and for the quality."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from ._arguments import add_arguments, read_pipeline

if TYPE_CHECKING:
    import argparse


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe the command."""
    parser = commands.add_parser(
        "outcomes",
        help="report outcomes of requests, by which an A/B test and the quality are judged",
        description="Upload outcomes, each with the InferenceId of its request: CSV with the header"
        " inference_id,outcome, or JSON Lines as SageMaker Model Monitor has them. Every line is checked before"
        " anything is uploaded.",
    )
    add_arguments(parser)
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="CSV or JSON Lines, in UTF-8")
    parser.set_defaults(
        run=run, when_interrupted="some outcomes may be uploaded; a repeated outcome does not count twice"
    )


def run(options: argparse.Namespace) -> int:
    """Upload; raise MlopsError with the problems of all lines, and nothing uploaded."""
    from ..deployed.outcomes import upload_outcomes

    count, uris = upload_outcomes(read_pipeline(options), options.files)
    if options.json:
        print(json.dumps({"pipeline": options.pipeline, "outcomes": count, "objects": uris}, indent=2))
    else:
        print(f"{count:,} outcome{' is' if count == 1 else 's are'} uploaded for {options.pipeline}:")
        print("\n".join(f"  {uri}" for uri in uris))
    return 0
