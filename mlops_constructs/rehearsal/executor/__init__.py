"""Executes CodePipeline definitions with what the local AWS has."""

from __future__ import annotations

from mlops_constructs.rehearsal.executor._executor import Executor
from mlops_constructs.rehearsal.executor._state import ActionRun, Execution, Job, StageRun, Status, now

__all__ = ["ActionRun", "Execution", "Executor", "Job", "StageRun", "Status", "now"]
