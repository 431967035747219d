"""What the soaks have in common: how a step is told, where an exception comes from, a process without an account."""

from __future__ import annotations

import gc
import os
import traceback
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from mlops_constructs.local_aws.moto_app import MotoApp

if TYPE_CHECKING:
    from mlops_constructs.local_aws.local_aws import LocalAws


class BrokenError(AssertionError):
    """An invariant does not hold."""


def check(condition: object, sentence: str) -> None:
    """Raise BrokenError unless the condition holds."""
    if not condition:
        raise BrokenError(sentence)


def short(values: object) -> str:
    """Return the text that makes an object, without what is as usual."""
    given = {one.name: (getattr(values, one.name), one.default) for one in fields(values)}  # type: ignore[arg-type]
    told = (f"{name}={value!r}" for name, (value, default) in given.items() if value != default)
    return f"{type(values).__name__}({', '.join(told)})"


def place(error: BaseException) -> str:
    """Where an exception comes from, unless it is an invariant."""
    if isinstance(error, BrokenError):
        return ""
    last = traceback.extract_tb(error.__traceback__)[-4:]
    return "".join(f"\n   {one.filename}:{one.lineno} {one.line}" for one in last)


def prepare() -> None:
    """Prepare a process: no call can reach a real account."""
    gc.set_threshold(50_000, 10, 10)
    os.environ.update(
        AWS_ACCESS_KEY_ID="testing",
        AWS_SECRET_ACCESS_KEY="testing",
        AWS_DEFAULT_REGION="us-east-1",
        AWS_EC2_METADATA_DISABLED="true",
    )
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_SESSION_TOKEN"):
        os.environ.pop(name, None)


def shorten_the_way(aws: LocalAws) -> MotoApp:
    """Let requests of this process come to the local AWS without a connection; serve other clients with the result.

    The way takes half of the time of a run. What a request meets in the gateway stays: checks, permissions, faults.
    """
    account, here = aws.account, MotoApp()
    here._app = aws._gateway  # type: ignore[assignment]
    real = account.client

    def client(*given: Any) -> Any:
        made = real(*given)
        if not hasattr(made, "is_here"):
            made.is_here = True
            here.serve(made)
        return made

    account.client = client  # type: ignore[method-assign]
    return here
