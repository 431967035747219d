"""The context that an action runs in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlops_constructs.local_aws.codepipeline.state import (
    AbandonedError,
    ActionFailedError,
    ActionRun,
    Artifact,
    Execution,
    Job,
)

if TYPE_CHECKING:
    import threading

    from mlops_constructs.local_aws.account import Account
    from mlops_constructs.local_aws.codepipeline.artifacts import ArtifactStore

_LONGEST_NAP_SECONDS = 0.5


@dataclass
class ActionContext:
    """One run of an action, its execution, artifact store and credentials.

    `changed` guards all state and is notified of every change.
    """

    account: Account
    execution: Execution
    run: ActionRun
    store: ArtifactStore
    credentials: dict[str, Any]
    jobs: dict[str, Job]
    changed: threading.Condition

    def client(self, service_name: str) -> Any:
        """A client under the action's role."""
        return self.account.client(service_name, self.credentials)

    def setting(self, name: str) -> str:
        """A required configuration value."""
        if name not in self.run.configuration:
            raise ActionFailedError(f"the configuration has no {name}", "ConfigurationError")
        return self.run.configuration[name]

    def input(self, name: str) -> Artifact:
        """An input artifact by name."""
        for artifact in self.run.inputs:
            if artifact.name == name:
                return artifact
        raise ActionFailedError(f"{name} is not an input artifact of this action", "ConfigurationError")

    def pause(self, seconds: float) -> None:
        """Sleep by the account's clock; raises `AbandonedError` as soon as the action is abandoned."""
        self.wait_until(lambda: False, seconds)

    def wait_until(self, happened: Callable[[], bool], timeout_seconds: float) -> bool:
        """Wait for a condition on the guarded state; return whether it became true in time, by the account's clock.

        Raises `AbandonedError` as soon as the action is abandoned.
        """
        deadline = self.account.clock.now() + timeout_seconds
        with self.changed:
            while not happened():
                left = deadline - self.account.clock.now()
                self.check_not_abandoned()
                if left <= 0:
                    return False
                self.changed.wait(min(left, _LONGEST_NAP_SECONDS))
        return True

    def check_not_abandoned(self) -> None:
        """Raise `AbandonedError` when the execution was abandoned or the local AWS closes."""
        if self.execution.abandoned or self.account.closing.is_set():
            raise AbandonedError


Provider = Callable[[ActionContext], dict[str, str]]
"""Executes an action and returns its output variables; raises `ActionFailedError`."""

Providers = Mapping[tuple[str, str, str], Provider]
"""By category, owner and provider of the action."""
