"""What can be broken on purpose: each must be found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from guard_destroy.deletions import Deletions
from guard_destroy.left import Listing

from mlops_constructs.deployed.made_orphans import Orphans
from mlops_constructs.deployed.made_running import Running
from mlops_constructs.deployed.made_stacks import Stacks
from mlops_constructs.deployed.teardown import Teardown
from mlops_constructs.errors import MlopsError

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager


def _nothing(*given: Any, **named: Any) -> Any:
    return iter(())


def _failing(self: Stacks, name: str, stack_id: str) -> None:
    raise MlopsError(f"the stack {name} is DELETE_FAILED")


BREAKS: dict[str, Callable[[], AbstractContextManager[Any]]] = {
    "executions-go-on": lambda: patch.object(Running, "executions", _nothing),
    "starts-go-on": lambda: patch.object(Running, "take_no_more", _nothing),
    "no-wait-for-changes": lambda: patch.object(Stacks, "_await_rest", _nothing),
    "stuck-stack": lambda: patch.object(Stacks, "_delete_what_is_left", _failing),
    "no-orphans": lambda: patch.object(Orphans, "_tagged", _nothing),
    "no-alarms": lambda: patch.object(Orphans, "_alarms", _nothing),
    "no-targets": lambda: patch.object(Orphans, "_targets", _nothing),
    "no-packages": lambda: patch.object(Teardown, "_packages", _nothing),
    "deleted-twice": lambda: patch.object(Teardown, "_has_package", lambda self, arn: True),
    "function: starts go on": lambda: patch.object(Deletions, "take_no_more", _nothing),
    "function: no orphans": lambda: patch.object(Listing, "_orphans", _nothing),
    "function: no alarms": lambda: patch.object(Listing, "_alarms", _nothing),
    "function: no packages": lambda: patch.object(Listing, "_packages", _nothing),
    "function: no executions": lambda: patch.object(Listing, "_executions", _nothing),
}
