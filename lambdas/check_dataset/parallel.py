"""Requests to S3 for many objects, a few at once: this function only waits for most of the time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

# Fewer than the 10 connections that a boto3 client keeps.
AT_ONCE = 8

Item = TypeVar("Item")
Result = TypeVar("Result")


def each(function: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
    """The results in the order of the items; the first error ends the rest."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        futures = [pool.submit(function, item) for item in items]
        try:
            return [future.result() for future in futures]
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
