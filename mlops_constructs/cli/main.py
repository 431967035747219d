"""From arguments to exit code: 0 success, 1 failure, 2 wrong arguments, 70 an error of mlops, 130 interrupted."""

from __future__ import annotations

import os
import signal
import sys
import threading
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from ..errors import MlopsError
from . import (
    ab,
    adopt,
    batch,
    cache,
    cost,
    data,
    decide,
    doctor,
    drift,
    init,
    invoke,
    local,
    logs,
    outcomes,
    pause,
    preflight,
    rehearse,
    releases,
    rollback,
    start,
    status,
    stop,
    teardown,
    upload,
)
from ._parser import make_parser, parse
from ._unexpected import told

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence
    from types import FrameType

INTERRUPTED = 130
# In the order of a pipeline's life.
_COMMANDS = {
    "Develop on this machine": (init, local, data, rehearse, doctor, cache),
    "Check the AWS account for a deployment": (preflight, cost, adopt),
    "Operate a deployed pipeline": (upload, start, status, logs, decide, stop, invoke, batch, outcomes, drift, pause),
    "Manage its releases": (releases, rollback, ab, teardown),
}
_MORE = (
    "`mlops COMMAND --help` explains a command. Begin with: mlops init my_project && cd my_project && mlops rehearse"
)
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_AGAIN_SECONDS = 0.1
# As a shell reports a program that SIGPIPE has ended.
_BROKEN_PIPE = 141


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code."""
    options = _options(arguments)
    try:
        with interruptible():
            code: int = options.run(options)
            sys.stdout.flush()
    except MlopsError as error:
        print(f"mlops {options.command}: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        # Whoever read the output has ended, such as `head`. Python would complain once more when it ends itself.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _BROKEN_PIPE
    except (OSError, MemoryError) as error:
        sentence, code = told(error)
        print(f"mlops {options.command}: {sentence}", file=sys.stderr)
        return code
    except KeyboardInterrupt:
        print(f"mlops {options.command}: interrupted; {options.when_interrupted}", file=sys.stderr)
        return INTERRUPTED
    return code


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser, commands = make_parser("mlops", "Create, rehearse and operate MLOps pipelines on AWS.", _version())
    # Ctrl-C does not stop an execution in AWS; the commands that start one say so instead.
    parser.set_defaults(when_interrupted="everything that it started has ended")
    for group, modules in _COMMANDS.items():
        commands.begin(group)
        for command in modules:
            command.add_parser(commands)
    parser.epilog = f"{commands.groups()}\n\n{_MORE}"
    return parse(parser, commands, arguments)


def _version() -> str:
    try:
        return version("mlops-constructs")
    except PackageNotFoundError:
        return "not installed"


@contextmanager
def interruptible() -> Iterator[None]:
    """Let Ctrl-C, SIGTERM and SIGHUP interrupt once: a second one must not break the clean-up; a third one may."""
    numbers = [number for number in _SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    came: list[int] = []
    main_thread = threading.main_thread().ident

    def interrupt(number: int, _frame: FrameType | None) -> None:
        came.append(number)
        if len(came) != 2:
            raise KeyboardInterrupt

    def unraisable(lost: sys.UnraisableHookArgs) -> None:
        if not issubclass(lost.exc_type, KeyboardInterrupt):
            before(lost)
            return
        # It was raised in a finalizer, where Python drops it: raise it again afterwards. The signal goes to the main
        # thread itself, because `_thread.interrupt_main` does not end a system call that waits.
        again = came[-1] if came else signal.SIGINT
        came.clear()
        threading.Timer(_AGAIN_SECONDS, signal.pthread_kill, (main_thread, again)).start()

    before, sys.unraisablehook = sys.unraisablehook, unraisable
    previous = {number: signal.signal(number, interrupt) for number in numbers}
    try:
        yield
    finally:
        sys.unraisablehook = before
        for number, handler in previous.items():
            signal.signal(number, handler)
