"""``mlops invoke``: send a request to an endpoint of a pipeline."""

from __future__ import annotations

import base64
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ..deployed.endpoints import endpoint_of, invoke
from ..errors import MlopsError
from ._arguments import add_arguments, read_pipeline

if TYPE_CHECKING:
    import argparse


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe the command."""
    parser = commands.add_parser(
        "invoke",
        help="send a request to the production endpoint, or to DEV",
        description="Send a request to an endpoint, and print the response's body as it is.",
    )
    add_arguments(parser)
    parser.add_argument(
        "body", metavar="BODY", help="the request's body, such as 5.1,3.5,1.4,0.2; @FILE reads a file, - standard input"
    )
    parser.add_argument("--dev", action="store_true", help="the DEV endpoint")
    parser.add_argument("--content-type", default="text/csv", metavar="TYPE", help="of the body (default: text/csv)")
    parser.add_argument("--accept", metavar="TYPE", help="of the response (default: that of the request)")
    parser.add_argument(
        "--inference-id", metavar="ID", help="id of the request in captured data (default: a new one; --json prints it)"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the response; raise MlopsError with what the container or AWS said."""
    body = _body(options.body)
    pipeline = read_pipeline(options)
    stack = pipeline.stacks[0 if options.dev else -1]
    endpoint = endpoint_of(pipeline, stack)
    accept = options.accept or options.content_type
    response = invoke(pipeline.client, endpoint, body, options.content_type, accept, options.inference_id)
    if options.json:
        try:
            text = {"body": response.body.decode()}
        except UnicodeDecodeError:
            text = {"body_base64": base64.b64encode(response.body).decode()}
        facts = {
            "endpoint": endpoint,
            "variant": response.variant,
            "inference_id": response.inference_id,
            "content_type": response.content_type,
        }
        print(json.dumps({**facts, **text}, indent=2))
        return 0
    sys.stdout.flush()
    sys.stdout.buffer.write(response.body)
    if sys.stdout.isatty() and not response.body.endswith(b"\n"):
        print()
    return 0


def _body(given: str) -> bytes:
    if given == "-":
        return sys.stdin.buffer.read()
    if not given.startswith("@"):
        return given.encode()
    try:
        return Path(given[1:]).read_bytes()
    except OSError as error:
        raise MlopsError(f"{given[1:]}: {error.strerror}") from None
