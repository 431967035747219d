"""What running containers needs of the account, or of a command that has no account."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from mlops_constructs.local_aws.processes import ChildProcesses

if TYPE_CHECKING:
    from pathlib import Path


class ContainerSite(Protocol):
    """Where containers run.

    Attributes:
        region: Region that their programs are told.
        workdir: Folder for everything that is written.
        processes: The child processes.
    """

    region: str
    workdir: Path
    processes: ChildProcesses

    def log(self, message: str) -> None:
        """Take one line of the log."""


@dataclass
class LocalSite:
    """A site without an account, for one command."""

    workdir: Path
    region: str = "us-east-1"
    processes: ChildProcesses = field(default_factory=ChildProcesses)

    def log(self, message: str) -> None:
        """Print the line."""
        print(message, flush=True)
