"""Runs the handler of a Python Lambda function, one event after the other. Executed as a script.

Arguments: the folder with the function's code, and the function's handler string.
Each line of standard input is one JSON request: id, arn, event, deadline (epoch seconds, real time), and by how many
seconds the clock of the function is ahead of real time.
Each line of standard output is one JSON response. The handler's output goes to standard error; after each request a
line with only the mark and the request's id ends it.
"""

from __future__ import annotations

import sys

if __name__ == "__main__":
    sys.path[0] = sys.argv[1]  # this script's folder contains modules that would shadow the function's modules

import datetime
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
SHIFTED = "LOCAL_AWS_CLOCK_SHIFTED"
_true_time = time.time


class FunctionClock:
    """The clock of this process, as far as Python's own modules tell the time."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def install(self) -> None:
        """Let Python's modules ask it."""
        true_datetime = datetime.datetime

        class Shifted(true_datetime):  # type: ignore[misc, valid-type]
            @classmethod
            def now(cls, tz: Any = None) -> Any:
                return cls.fromtimestamp(time.time(), tz)

            @classmethod
            def utcnow(cls) -> Any:
                return cls.fromtimestamp(time.time(), datetime.timezone.utc).replace(tzinfo=None)

        time.time = lambda: _true_time() + self.ahead
        time.time_ns = lambda: int(time.time() * 1e9)
        datetime.datetime = Shifted  # type: ignore[misc]


def load_handler(handler_string: str) -> Callable[[Any, Any], Any]:
    """Import the handler; when the import fails, every invocation fails with that error, as on AWS."""
    module_name, _, function_name = handler_string.rpartition(".")
    handler: Callable[[Any, Any], Any] = getattr(importlib.import_module(module_name.replace("/", ".")), function_name)
    return handler


def context_of(request: dict[str, Any]) -> SimpleNamespace:
    """The context object: the second argument of a handler."""
    return SimpleNamespace(
        aws_request_id=request["id"],
        function_name=os.environ["AWS_LAMBDA_FUNCTION_NAME"],
        function_version=os.environ["AWS_LAMBDA_FUNCTION_VERSION"],
        memory_limit_in_mb=os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"],
        invoked_function_arn=request["arn"],
        log_group_name=os.environ["AWS_LAMBDA_LOG_GROUP_NAME"],
        log_stream_name=os.environ["AWS_LAMBDA_LOG_STREAM_NAME"],
        get_remaining_time_in_millis=lambda: max(0, int((request["deadline"] - _true_time()) * 1000)),
    )


def failure_of(error: BaseException) -> dict[str, Any]:
    """Print an exception as Lambda's Python runtime does, and return it in the format of Lambda's response."""
    trace = traceback.format_tb(error.__traceback__)[1:]  # without the frame of this script
    print(f"[ERROR] {type(error).__name__}: {error}\nTraceback (most recent call last):")
    print("".join(trace), end="")
    return {"errorMessage": str(error), "errorType": type(error).__name__, "stackTrace": trace}


def main() -> None:
    """Handle requests until standard input ends."""
    clock, shifted = FunctionClock(), os.environ.pop(SHIFTED, "")
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    sys.stdout = os.fdopen(1, "w", buffering=1, encoding="utf-8", closefd=False)
    if shifted:
        clock.install()
    logging.basicConfig(format="[%(levelname)s]\t%(asctime)s\t%(name)s\t%(message)s", stream=sys.stderr)
    handler: Callable[[Any, Any], Any] | None = None
    for line in sys.stdin:
        request = json.loads(line)
        clock.ahead = request["ahead"]
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
