"""The choice of the pipeline to rehearse."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_constructs.deployed.pipeline import DeployedPipeline
from mlops_constructs.errors import RehearsalError

if TYPE_CHECKING:
    from mlops_constructs.deployed.clients import Clients


def choose_pipeline(client: Clients, wanted: str | None = None) -> DeployedPipeline:
    """Read the deployed ML pipeline that is ``wanted``, by its name or a prefix of it.

    Raises:
        RehearsalError: when there is not exactly one.
    """
    found = DeployedPipeline.read_all(client)
    chosen = [one for one in found if wanted is None or f"{one.name}-".startswith(f"{wanted}-")]
    if len(chosen) == 1:
        return chosen[0]
    there = ", ".join(one.name for one in found) or "none"
    if not chosen and wanted is not None:
        raise RehearsalError(f"the stack has no pipeline {wanted!r}; it has: {there}")
    raise RehearsalError(f"a rehearsal runs one MLOpsPipeline: choose with --pipeline; the stack has: {there}")
