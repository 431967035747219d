"""Whether the account may create a CodeCommit repository."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .verdict import refusal

if TYPE_CHECKING:
    from .room import Room
    from .verdict import Verdicts


def codecommit_is_open(room: Room) -> Verdicts:
    """Create an empty repository."""
    codecommit, name = room.client("codecommit"), room.name("repository")
    room.on_leave(f"CodeCommit repository {name}", lambda: codecommit.delete_repository(repositoryName=name))
    problem = refusal(lambda: codecommit.create_repository(repositoryName=name))
    if not problem:
        return "yes", "CreateRepository created one"
    return ("no" if problem.startswith("OperationNotAllowed") else "undecided"), problem
