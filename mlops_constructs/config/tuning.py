"""A search for the best hyperparameters."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ..errors import Problem, under
from ._part import Part
from ._rules import in_range, literal, matches, one_of
from ._tokens import is_token
from .ranges import CategoricalParameter, Range
from .training import MAX_JOB_SECONDS, MAX_POLL_SECONDS, OWN_VARIABLES

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from .training import Training

STRATEGIES = ("Bayesian", "Random", "Hyperband", "Grid")
# A job's hyperparameters are at most 100, and SageMaker adds the name of the objective metric.
MAX_HYPERPARAMETERS = 99
# Without max_resource, Hyperband reads the maximum number of epochs from one of these.
EPOCHS = ("epochs", "numepochs", "n-epochs", "n_epochs", "num_epochs")
DEFAULT_JOBS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Hyperband(Part):
    """Limits of the Hyperband strategy, which stops poor jobs early.

    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_HyperbandStrategyConfig.html

    Attributes:
        min_resource: Number of epochs that every job may run, at least 1. Literal.
        max_resource: Number of epochs after which a job is stopped, ``min_resource`` to 20,000. Literal.
    """

    min_resource: int
    max_resource: int

    def problems(self) -> Iterator[Problem]:
        """Yield what is wrong."""
        yield from in_range("min_resource", self.min_resource, 1, 20_000)
        yield from in_range("max_resource", self.max_resource, 1, 20_000)
        known = not is_token([self.min_resource, self.max_resource])
        if known and self.max_resource < self.min_resource:
            rule = f"must be at least min_resource ({self.min_resource})"
            yield Problem("max_resource", rule, self.max_resource, "raise it")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuning(Part):
    """A SageMaker hyperparameter tuning job instead of the training job.

    Its training jobs are as in ``training``, each with other hyperparameters. The best one becomes the candidate;
    everything after that is the same as without tuning.
    https://docs.aws.amazon.com/sagemaker/latest/dg/automatic-model-tuning-how-it-works.html

    Attributes:
        hyperparameter_ranges: Hyperparameter to ``IntegerParameter``, ``ContinuousParameter`` or
            ``CategoricalParameter``; 1 to 30. Fixed hyperparameters belong in ``training.hyperparameters``. Literal.
        objective_metric_name: The metric to optimize, one of ``training.metric_definitions``. Literal.
        objective_type: ``Maximize`` where a higher metric is better, ``Minimize`` where a lower one is. Literal.
        strategy: ``Bayesian`` learns from earlier jobs, ``Random`` does not, ``Hyperband`` stops poor jobs early,
            ``Grid`` runs every combination of categories. Literal.
        max_jobs: Total number of training jobs, 1 to 750, with ``Random`` to 10,000; None is 10, with ``Grid`` every
            combination. Literal.
        max_parallel_jobs: Training jobs at a time, 1 to 100; more than 10 need a higher quota. Literal.
        early_stopping_type: ``Auto`` stops a training job that will not become the best, ``Off`` lets it run; must be
            ``Off`` with ``Hyperband``. Literal.
        max_runtime_in_seconds: Stop the search after this time, 120 to 2,592,000 s (30 days). Literal.
        random_seed: Makes two searches choose the same values, 0 to 2,147,483,647, or None. Literal.
        hyperband: Limits of ``Hyperband``; required with it, unless ``training.hyperparameters`` has ``epochs``.

    For the limits, see https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateHyperParameterTuningJob.html
    and https://docs.aws.amazon.com/sagemaker/latest/dg/automatic-model-tuning-limits.html.
    """

    hyperparameter_ranges: Mapping[str, Range]
    objective_metric_name: str
    objective_type: Literal["Maximize", "Minimize"] = "Maximize"
    strategy: Literal["Bayesian", "Random", "Hyperband", "Grid"] = "Bayesian"
    max_jobs: int | None = None
    max_parallel_jobs: int = 2
    early_stopping_type: Literal["Off", "Auto"] = "Off"
    max_runtime_in_seconds: int = MAX_POLL_SECONDS
    random_seed: int | None = None
    hyperband: Hyperband | None = None

    @property
    def jobs(self) -> int:
        """Maximum number of training jobs."""
        if self.max_jobs is not None:
            return self.max_jobs
        return self._combinations() if self.strategy == "Grid" else DEFAULT_JOBS

    def problems(self) -> Iterator[Problem]:
        """Yield what is wrong."""
        yield from matches(
            "objective_metric_name",
            self.objective_metric_name,
            r"(?s).{1,255}",
            "must have 1 to 255 characters",
            "name a metric",
        )
        yield from one_of("objective_type", self.objective_type, ("Maximize", "Minimize"))
        yield from one_of("strategy", self.strategy, STRATEGIES)
        yield from one_of("early_stopping_type", self.early_stopping_type, ("Off", "Auto"))
        yield from in_range("max_parallel_jobs", self.max_parallel_jobs, 1, 100)
        yield from in_range("max_runtime_in_seconds", self.max_runtime_in_seconds, 120, MAX_JOB_SECONDS, "s")
        if self.max_jobs is not None:
            yield from in_range("max_jobs", self.max_jobs, 1, 10_000 if self.strategy == "Random" else 750)
        if self.random_seed is not None:
            yield from in_range("random_seed", self.random_seed, 0, 2**31 - 1)
        yield from self._range_problems()
        yield from self._strategy_problems()

    def problems_with(self, training: Training, metrics: Collection[str] | None) -> Iterator[Problem]:
        """Yield what does not fit the training job; ``metrics`` are its metrics where they are known."""
        known = not is_token([self.objective_metric_name, *(metrics or ())])
        if known and metrics is not None and self.objective_metric_name not in metrics:
            remedy = f"use one of {sorted(metrics)}, or add it to training.metric_definitions"
            yield Problem(
                "objective_metric_name",
                "must be one of training.metric_definitions",
                self.objective_metric_name,
                remedy,
            )
        for name in self.hyperparameter_ranges:
            if name in training.hyperparameters:
                rule = "must not be in training.hyperparameters too"
                yield Problem(
                    f"hyperparameter_ranges[{name!r}]", rule, training.hyperparameters[name], "remove one of them"
                )
        count = len(self.hyperparameter_ranges) + len(training.hyperparameters)
        if count > MAX_HYPERPARAMETERS:
            rule = f"with training.hyperparameters there must be at most {MAX_HYPERPARAMETERS}"
            yield Problem("hyperparameter_ranges", rule, count, "leave some out")
        if len(training.environment) > (most := 48 - len(OWN_VARIABLES)):
            rule = f"with tuning there must be at most {most} variables in training.environment"
            yield Problem("hyperparameter_ranges", rule, len(training.environment), "leave some out")
        if training.keep_alive_period_in_seconds and not is_token(training.keep_alive_period_in_seconds):
            rule = "a tuning job cannot keep a warm pool"
            yield Problem(
                "hyperparameter_ranges",
                rule,
                f"training.keep_alive_period_in_seconds={training.keep_alive_period_in_seconds}",
                "use 0 there",
            )
        limited = self.hyperband is not None or any(name in training.hyperparameters for name in EPOCHS)
        if self.strategy == "Hyperband" and not limited and not is_token(training.hyperparameters):
            rule = f"Hyperband requires it, or one of {EPOCHS} in training.hyperparameters"
            yield Problem("hyperband", rule, None, "give Hyperband(min_resource=1, max_resource=...)")

    def _range_problems(self) -> Iterator[Problem]:
        yield from literal("hyperparameter_ranges", self.hyperparameter_ranges)
        if not 1 <= len(self.hyperparameter_ranges) <= 30:
            yield Problem(
                "hyperparameter_ranges",
                "must have 1 to 30 entries",
                len(self.hyperparameter_ranges),
                "give that many",
            )
        for name, range_ in self.hyperparameter_ranges.items():
            field = f"hyperparameter_ranges[{name!r}]"
            if not 1 <= len(name) <= 256:
                yield Problem(field, "the name must have 1 to 256 characters", len(name), "rename it")
            if not is_token(range_):
                yield from under(field, range_.problems())

    def _strategy_problems(self) -> Iterator[Problem]:
        if self.hyperband is not None:
            yield from under("hyperband", self.hyperband.problems())
            if self.strategy != "Hyperband" and not is_token(self.strategy):
                yield Problem("hyperband", "is only for strategy 'Hyperband'", self.strategy, "leave it out")
        if self.strategy == "Hyperband" and self.early_stopping_type == "Auto":
            remedy = "use 'Off'"
            yield Problem("early_stopping_type", "Hyperband stops jobs by itself", self.early_stopping_type, remedy)
        if self.strategy == "Grid":
            yield from self._grid_problems()
        known = not is_token([self.jobs, self.max_parallel_jobs, self.strategy, *self.hyperparameter_ranges])
        if known and self.max_parallel_jobs > self.jobs:
            rule = f"must be at most max_jobs ({self.jobs})"
            yield Problem("max_parallel_jobs", rule, self.max_parallel_jobs, "lower it")

    def _grid_problems(self) -> Iterator[Problem]:
        for name, range_ in self.hyperparameter_ranges.items():
            if not isinstance(range_, CategoricalParameter):
                rule = "a grid search supports only categories"
                yield Problem(
                    f"hyperparameter_ranges[{name!r}]", rule, range_, "use CategoricalParameter, or another strategy"
                )
        categories = [
            one.values for one in self.hyperparameter_ranges.values() if isinstance(one, CategoricalParameter)
        ]
        if len(categories) < len(self.hyperparameter_ranges) or is_token(categories):
            return
        combinations = self._combinations()
        if self.max_jobs is None and combinations > 750:
            yield Problem(
                "hyperparameter_ranges", "must have at most 750 combinations", combinations, "leave some values out"
            )
        elif self.max_jobs not in (None, combinations):
            rule = f"a grid search runs every combination ({combinations})"
            yield Problem("max_jobs", rule, self.max_jobs, "leave max_jobs out")

    def _combinations(self) -> int:
        return math.prod(
            len(range_.values)
            for range_ in self.hyperparameter_ranges.values()
            if isinstance(range_, CategoricalParameter)
        )
