"""Refuses the destroy while something is left, or deletes what is left."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from guard_destroy.deletions import Deletions
from guard_destroy.left import Left, Listing
from handler_kit import logs
from handler_kit.errors import error_code, is_transient

if TYPE_CHECKING:
    from collections.abc import Callable

    from guard_destroy.settings import Document

_FIRST_POLL_SECONDS, _POLL_SECONDS = 0.5, 5.0
_SHOWN = 12
# Returned while something is being changed, or was deleted a moment ago.
_BUSY_CODES = frozenset({"ValidationException", "ValidationError", "ResourceInUse", "ConflictException"})


class LeftError(Exception):
    """The destroy must not go on; the message says why, and what to do."""


class Guard:
    """It.

    Attributes:
        pipeline: Name of the pipeline.
    """

    def __init__(
        self, pipeline: str, document: Document, clients: Callable[[str], Any], pause: Callable[[float], None]
    ) -> None:
        self.pipeline = pipeline
        self._document, self._clients, self._pause = document, clients, pause
        self._listing = Listing(pipeline, document, clients)
        self._deletions = Deletions(document, clients)

    def end(self, has_time: Callable[[], bool]) -> None:
        """Let the destroy go on when nothing is left. Raises LeftError when something is."""
        if self._document.deletes:
            self._delete_all(has_time)
            return
        left = self._listing.all()
        if left:
            raise LeftError(
                f"Nothing of the pipeline {self.pipeline} was destroyed: it has made what Terraform does not know, and"
                f" what would remain and cost money, without the roles that can delete it: {_named(left)}. Run: mlops"
                f" teardown {self.pipeline} --yes - then run the destroy again."
            )

    def _delete_all(self, has_time: Callable[[], bool]) -> None:
        """Delete until nothing is left; a destroy that is repeated goes on where this one ended."""
        self._deletions.take_no_more()
        told: dict[Left, str] = {}
        poll_seconds = _FIRST_POLL_SECONDS
        while left := self._listing.all():
            for one in left:
                problem = self._try(one)
                if told.get(one) != problem:
                    logs.info("deleting", kind=one.kind, name=one.name, problem=problem)
                    told[one] = problem
            if not has_time():
                problems = "; ".join(f"{one.name}: {told[one]}" for one in left if told.get(one))
                raise LeftError(
                    f"The pipeline {self.pipeline} is still deleting what it made: {_named(left)}. Nothing else was"
                    f" destroyed yet. Run the destroy again; it goes on from here."
                    + (f" What was refused: {problems}" if problems else "")
                )
            self._pause(poll_seconds)
            poll_seconds = min(_POLL_SECONDS, 2 * poll_seconds)
        self._deletions.delete_logs()

    def _try(self, one: Left) -> str:
        """Ask for one deletion; return why it was refused, if it may be accepted later."""
        try:
            self._deletions.delete(one)
        except ClientError as error:
            if error_code(error) not in _BUSY_CODES and not is_transient(error):
                raise LeftError(f"The {one.kind} {one.name} could not be deleted: {error}") from error
            return str(error)
        return ""


def _named(left: list[Left]) -> str:
    shown = ", ".join(f"{one.kind} {one.name}" for one in left[:_SHOWN])
    return shown + (f" and {len(left) - _SHOWN} more" if len(left) > _SHOWN else "")
