"""Writes a snapshot of a running local AWS after every change."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

from mlops_constructs.local_aws.snapshot.file import write
from mlops_constructs.local_aws.snapshot.files import copy_new, delete_old

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_constructs.local_aws.local_aws import LocalAws
    from mlops_constructs.local_aws.snapshot.folder import KeptFolder

_PAUSE_SECONDS = 0.5
# A large data set is written for seconds: most of the time belongs to the local AWS.
_SHARE = 10
_LAST_SECONDS = 3.0


class Saver:
    """Saves from `start` to `close`, whenever something has changed and nothing is in progress.

    Attributes:
        saved: When the local AWS was as the snapshot has it, in seconds since 1970; 0 before the first one.
        problem: Why the last one was not written; empty when it was.
    """

    def __init__(self, aws: LocalAws, folder: KeptFolder, about: Mapping[str, Any]) -> None:
        """Prepare it.

        Args:
            aws: The local AWS, running.
            folder: Where to write.
            about: What is written beside the snapshot.
        """
        self.saved, self.problem = 0.0, ""
        self._aws, self._folder, self._about = aws, folder, {**about, "workdir": str(aws.workdir)}
        self._seen = -1
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._save_always, name="saver", daemon=True)

    def start(self) -> None:
        """Begin to save."""
        self._thread.start()

    def close(self, *, finish: bool) -> None:
        """End, and with ``finish`` save once more, when what is in progress ends soon. Safe to call twice."""
        if self._ends.is_set():
            return
        self._ends.set()
        self._thread.join()
        deadline = time.monotonic() + _LAST_SECONDS
        while finish and not self.save() and time.monotonic() < deadline:
            time.sleep(_PAUSE_SECONDS / _SHARE)

    def save(self) -> bool:
        """Save where something has changed and nothing is in progress; return whether nothing is left to save."""
        changes, now = self._aws.traffic.changes, time.time()
        if changes == self._seen:
            return True
        if not self._aws.is_quiet:
            return False
        problem = ""
        try:
            snapshot = self._aws.snapshot()
        except Exception as error:  # it may have changed meanwhile
            problem = f"{type(error).__name__}: {error}"
        # What came meanwhile may be in it in part.
        if not self._aws.is_quiet or self._aws.traffic.changes != changes:
            return False
        try:
            if not problem:
                copy_new(self._aws.workdir, self._folder.files)
                write(self._folder.file, snapshot, {**self._about, "saved": now})
                delete_old(self._aws.workdir, self._folder.files)
                self.saved = now
        except OSError as error:
            problem = f"{error.filename}: {error.strerror}"
        if problem:
            self._aws.log(f"the local AWS cannot be saved: {problem}")
        self.problem = problem
        self._seen = changes
        return True

    def _save_always(self) -> None:
        pause = _PAUSE_SECONDS
        while not self._ends.wait(pause):
            began = time.monotonic()
            self.save()
            pause = max(_PAUSE_SECONDS, _SHARE * (time.monotonic() - began))
