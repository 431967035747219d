"""What can be broken on purpose: each must be found."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from guard_destroy import left
from guard_destroy.deletions import Deletions
from guard_destroy.left import Listing

from mlops_constructs.deployed import made_running
from mlops_constructs.deployed.endpoint_stacks import EndpointStacks
from mlops_constructs.deployed.made_orphans import Orphans
from mlops_constructs.deployed.made_running import Running
from mlops_constructs.deployed.made_stacks import Stacks
from mlops_constructs.deployed.stacks import find_stack
from mlops_constructs.deployed.teardown import Teardown
from mlops_constructs.errors import MlopsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager


def _nothing(*given: Any, **named: Any) -> Any:
    return iter(())


def _failing(self: Stacks, name: str, stack_id: str) -> None:
    raise MlopsError(f"the stack {name} is DELETE_FAILED")


_STACK_OF, _STACKS_LEFT = Stacks._stack, Listing._stacks


def _unpaused(self: Stacks, name: str) -> Mapping[str, Any] | None:
    """Take a paused stack for one that does not exist."""
    found = _STACK_OF(self, name)
    return None if found is None or _is_paused(self._pipeline.client, name) else found


def _unpaused_left(self: Listing) -> Iterator[left.Left]:
    return (one for one in _STACKS_LEFT(self) if not _is_paused(self._clients, one.name))


def _is_paused(client: Callable[[str], Any], name: str) -> bool:
    stack = find_stack(client, name)
    return stack is not None and stack.paused_at is not None


def _without(kind: str) -> AbstractContextManager[Any]:
    return patch.object(made_running, "_JOBS", [one for one in made_running._JOBS if one.name != kind])


def _function_without(kind: str) -> AbstractContextManager[Any]:
    return patch.object(left, "JOBS", {name: one for name, one in left.JOBS.items() if name != kind})


def _any_name() -> AbstractContextManager[Any]:
    """Take every name that begins like that of the pipeline's jobs for one of them."""
    anything = SimpleNamespace(compile=lambda _: re.compile(".*"), escape=re.escape, sub=re.sub)
    return patch.object(made_running, "re", anything)


def _as_it_is(self: EndpointStacks, name: str) -> Any:
    return find_stack(self.client, name)


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
    "paused-stack-stays": lambda: patch.object(Stacks, "_stack", _unpaused),
    "training-goes-on": lambda: _without("training job"),
    "tuning-goes-on": lambda: _without("tuning job"),
    "evaluation-goes-on": lambda: _without("processing job"),
    "transform-goes-on": lambda: _without("transform job"),
    "jobs-of-others": _any_name,
    "no-wait-for-a-pause": lambda: patch.object(EndpointStacks, "settled", _as_it_is),
    "function: paused stack stays": lambda: patch.object(Listing, "_stacks", _unpaused_left),
    "function: training goes on": lambda: _function_without("training job"),
    "function: tuning goes on": lambda: _function_without("tuning job"),
    "function: evaluation goes on": lambda: _function_without("processing job"),
    "function: transform goes on": lambda: _function_without("transform job"),
    "function: starts go on": lambda: patch.object(Deletions, "take_no_more", _nothing),
    "function: no orphans": lambda: patch.object(Listing, "_orphans", _nothing),
    "function: no alarms": lambda: patch.object(Listing, "_alarms", _nothing),
    "function: no packages": lambda: patch.object(Listing, "_packages", _nothing),
    "function: no executions": lambda: patch.object(Listing, "_executions", _nothing),
}
