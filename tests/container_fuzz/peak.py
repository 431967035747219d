"""The most of what is looked at again and again."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Peak:
    """Looks ten times a second, in a thread of its own.

    Attributes:
        most: The most since it was set.
    """

    def __init__(self, look: Callable[[], float]) -> None:
        self._look, self.most = look, 0.0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(0.1):
            self.most = max(self.most, self._look())
