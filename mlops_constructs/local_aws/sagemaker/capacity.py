"""Which instance types the account can have, for tests of what happens when it cannot."""

from __future__ import annotations

import threading
from collections import Counter


class Capacity:
    """Instances without end, but for the types that were refused."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._refusals: Counter[str] = Counter()
        self._no_quota: set[str] = set()

    def refuse(self, instance_type: str, times: int) -> None:
        """Let the next `times` jobs on this instance type fail as on AWS when it has none."""
        with self._lock:
            self._refusals[instance_type] += times

    def refuse_quota(self, instance_type: str) -> None:
        """Let the account have no quota for this instance type."""
        with self._lock:
            self._no_quota.add(instance_type)

    def has_quota(self, instance_type: str) -> bool:
        """Whether the account may have this instance type at all."""
        with self._lock:
            return instance_type not in self._no_quota

    def take(self, instance_type: str) -> bool:
        """Whether there is an instance now; uses up one refusal when there is none."""
        with self._lock:
            if self._refusals[instance_type] == 0:
                return True
            self._refusals[instance_type] -= 1
        return False
