"""The whole configuration of a pipeline, checked at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import ConfigError, Problem
from ._rules import matches
from .endpoint import under

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .algorithm import Algorithm
    from .approval import Approval
    from .dataset import Dataset
    from .endpoint import Endpoint
    from .evaluation import Evaluation
    from .notebook import Notebook
    from .training import Training

_PARTS = ("algorithm", "dataset", "training", "evaluation", "dev", "production", "approval", "notebook")


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineConfig:
    """What ``MLOpsPipeline`` takes; see there. Raises ConfigError with every problem of every part."""

    algorithm: Algorithm
    dataset: Dataset
    training: Training
    evaluation: Evaluation
    dev: Endpoint
    production: Endpoint
    approval: Approval
    notebook: Notebook | None
    name_prefix: str | None
    retain_data: bool

    def __post_init__(self) -> None:
        problems = list(self._problems())
        if problems:
            raise ConfigError("MLOpsPipeline", problems)

    def _problems(self) -> Iterator[Problem]:
        for name in _PARTS:
            part = getattr(self, name)
            if part is not None:
                yield from under(name, part)
        if self.name_prefix is not None:
            yield from matches(
                "name_prefix",
                self.name_prefix,
                r"[a-z](?:-?[a-z0-9]){0,16}",
                "must be 1 to 17 lower-case letters, digits and single hyphens, starting with a letter",
                "use for example 'churn'",
            )
        if self.evaluation.metric not in self.training.metrics:
            yield Problem(
                "evaluation.metric",
                "must be one of training.metrics",
                self.evaluation.metric,
                f"use one of {sorted(self.training.metrics)}, or add it to training.metrics",
            )
