"""Runs a Python Lambda function's handler, one event after the other. Executed as a script.

Arguments: the folder with the function's code, and its handler string.
Standard input brings one JSON request a line: id, arn, event, deadline (epoch seconds).
Standard output takes one JSON answer a line; all the handler prints goes to standard error,
closed for each request by a line with only the mark and the request's id.
"""

from __future__ import annotations

import sys

if __name__ == "__main__":
    sys.path[0] = sys.argv[1]  # the folder of this script holds modules that would hide the function's

import importlib
import json
import logging
import os
import time
import traceback
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

MARK = "\x1e"


def load_handler(handler_string: str) -> Callable[[Any, Any], Any]:
    """Import the handler; an error in it is the answer to every request, as on AWS."""
    module_name, _, function_name = handler_string.rpartition(".")
    handler: Callable[[Any, Any], Any] = getattr(importlib.import_module(module_name.replace("/", ".")), function_name)
    return handler


def context_of(request: dict[str, Any]) -> SimpleNamespace:
    """The second argument of a handler."""
    return SimpleNamespace(
        aws_request_id=request["id"],
        function_name=os.environ["AWS_LAMBDA_FUNCTION_NAME"],
        function_version=os.environ["AWS_LAMBDA_FUNCTION_VERSION"],
        memory_limit_in_mb=os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"],
        invoked_function_arn=request["arn"],
        log_group_name=os.environ["AWS_LAMBDA_LOG_GROUP_NAME"],
        log_stream_name=os.environ["AWS_LAMBDA_LOG_STREAM_NAME"],
        get_remaining_time_in_millis=lambda: max(0, int((request["deadline"] - time.time()) * 1000)),
    )


def failure_of(error: BaseException) -> dict[str, Any]:
    """An exception as the Lambda service words it, printed as the runtime prints it."""
    trace = traceback.format_tb(error.__traceback__)[1:]  # without the frame of this script
    print(f"[ERROR] {type(error).__name__}: {error}\nTraceback (most recent call last):")
    print("".join(trace), end="")
    return {"errorMessage": str(error), "errorType": type(error).__name__, "stackTrace": trace}


def main() -> None:
    """Answer requests until standard input ends."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    sys.stdout = os.fdopen(1, "w", buffering=1, encoding="utf-8", closefd=False)
    logging.basicConfig(format="[%(levelname)s]\t%(asctime)s\t%(name)s\t%(message)s", stream=sys.stderr)
    handler: Callable[[Any, Any], Any] | None = None
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if handler is None:
                handler = load_handler(sys.argv[2])
            answer: dict[str, Any] = {"result": json.dumps(handler(request["event"], context_of(request)))}
        except BaseException as error:  # sys.exit() in a handler must not end the worker
            answer = {"failure": failure_of(error)}
        sys.stdout.flush()
        print(f"{MARK}{request['id']}", file=sys.stderr, flush=True)
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
