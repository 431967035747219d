"""The capacity of instance types; a test can take it away."""

from __future__ import annotations

import threading
from collections import Counter


class Capacity:
    """Unlimited instances, except of the types that were refused."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._refusals: Counter[str] = Counter()

    def refuse(self, instance_type: str, times: int) -> None:
        """Make the next `times` jobs on this instance type fail, as AWS does when it has no capacity."""
        with self._lock:
            self._refusals[instance_type] += times

    def take(self, instance_type: str) -> bool:
        """Whether an instance is available now; if not, this uses up one refusal."""
        with self._lock:
            if self._refusals[instance_type] == 0:
                return True
            self._refusals[instance_type] -= 1
        return False
