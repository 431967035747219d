"""The objects that every local AWS has from its construction on, by the path of attributes that leads to each.

A snapshot names them by their paths, so that what is restored is connected to the new objects.
"""

from __future__ import annotations

import queue
import threading
from typing import Any

LOCKS = (type(threading.Lock()), type(threading.RLock()))
# They belong to a process: the new one has its own at the same place.
TOOLS = (*LOCKS, threading.Condition, threading.Event, queue.Queue, queue.SimpleQueue)
_OURS = "mlops_constructs.local_aws."


def attributes(owner: object) -> dict[str, Any]:
    """Return the attributes of an object, those in slots too."""
    found = dict(getattr(owner, "__dict__", {}))
    for base in type(owner).__mro__:
        found.update({name: getattr(owner, name) for name in getattr(base, "__slots__", ()) if hasattr(owner, name)})
    return found


def anchors(root: object) -> dict[str, Any]:
    """Return path to object, for everything of this package that can be reached by attributes and tuples."""
    found: dict[str, Any] = {}
    seen: set[int] = set()

    def visit(path: str, value: object) -> None:
        if id(value) in seen:
            return
        if isinstance(value, tuple):
            for number, one in enumerate(value):
                visit(f"{path}.{number}", one)
        elif isinstance(value, TOOLS) or type(value).__module__.startswith(_OURS):
            seen.add(id(value))
            found[path] = value
            if not isinstance(value, TOOLS):
                for name, one in attributes(value).items():
                    visit(f"{path}.{name}", one)

    visit("aws", root)
    return found
