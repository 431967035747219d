"""When a trained model is good enough to be deployed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Literal

from ..errors import Problem, under
from ._part import Part
from ._rules import in_range, matches, one_of
from ._tokens import is_token
from .evaluation_job import EvaluationJob

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator


# One rule per metric, and at most this many metrics can be recorded: a model package has 50 properties, of which
# lambdas/register_model uses 10 for the rest of the record.
# https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateModelPackage.html
MAX_RULES = 40


# Endings of the names of errors and losses.
_ERRORS = ("error", "loss", "mae", "mape", "mse", "rmse")


def _is_error(metric: str) -> bool:
    return metric.lower().endswith(_ERRORS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold(Part):
    """What one metric must reach.

    Attributes:
        metric: Name of a metric: one of ``Training.metric_definitions``, or with ``Evaluation.job`` one that the
            evaluation program reports. Literal.
        min_value: The metric must be at least this (accuracy and the like), or None. Literal.
        max_value: The metric must be at most this (loss and the like), or None. Literal.
        beat_production_by: The metric must be better than that of the current production model by at least this
            much; 0.0 means not worse; None compares with no model. Literal.
        confidence_level: With ``beat_production_by=0.0``, how sure the gate must be that the metric is worse, 0.5 to
            0.999: what chance explains is no difference. It needs the standard errors of both models,
            ``<metric>_se``, as the container's template reports them. Without them, and with None, the numbers are
            compared as they are. Literal.
        objective_type: ``Maximize`` if a higher value is better, ``Minimize`` if a lower one is; None means Minimize if
            only ``max_value`` is given, otherwise Maximize. Literal.
    """

    metric: str
    min_value: float | None = None
    max_value: float | None = None
    beat_production_by: float | None = None
    confidence_level: float | None = 0.95
    objective_type: Literal["Maximize", "Minimize"] | None = None

    @property
    def better(self) -> Literal["Maximize", "Minimize"]:
        """The direction in which the metric is better."""
        if self.objective_type is not None:
            return self.objective_type
        return "Minimize" if self.min_value is None and self.max_value is not None else "Maximize"

    def problems(self) -> Iterator[Problem]:
        """Yield what is wrong."""
        yield from matches(
            "metric",
            self.metric,
            r"[\w .:/=+\-@]{1,121}",
            "must have 1 to 121 letters, digits, spaces and _.:/=+-@, which is what the model registry can record",
            "rename the metric",
        )
        for name in ("min_value", "max_value"):
            value = getattr(self, name)
            if value is not None:
                yield from in_range(name, value, -1e18, 1e18)
        if self.beat_production_by is not None:
            yield from in_range("beat_production_by", self.beat_production_by, 0.0, 1e18)
        if self.confidence_level is not None:
            yield from in_range("confidence_level", self.confidence_level, 0.5, 0.999)
        if self.min_value is None and self.max_value is None and self.beat_production_by is None:
            yield Problem(
                "min_value", "a gate needs min_value, max_value or beat_production_by", None, "give at least one"
            )
        bounds = (self.min_value, self.max_value)
        if not any(bound is None or is_token(bound) for bound in bounds) and self.min_value > self.max_value:  # type: ignore[operator]
            yield Problem("min_value", f"must not be above max_value ({self.max_value})", self.min_value, "swap them")
        yield from self._direction_problems()

    def _direction_problems(self) -> Iterator[Problem]:
        """A comparison in the wrong direction would stop the better models."""
        if self.objective_type is not None:
            yield from one_of("objective_type", self.objective_type, ("Maximize", "Minimize"))
        known = not is_token([self.metric, self.min_value, self.max_value, self.objective_type])
        if known and self.beat_production_by is not None and self.better == "Maximize" and _is_error(self.metric):
            rule = f"{self.metric} is better when it is lower"
            yield Problem("objective_type", rule, self.objective_type, "use 'Minimize'")


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation(Part):
    """The gate between training and deployment. With a missing or invalid metric it fails.

    Attributes:
        metric: The metric of the first rule, as in ``Threshold``; None in ``Evaluation.no_gate``. Literal.
        min_value: As in ``Threshold``. Literal.
        max_value: As in ``Threshold``. Literal.
        beat_production_by: As in ``Threshold``. Literal.
        confidence_level: As in ``Threshold``. Literal.
        objective_type: As in ``Threshold``. Literal.
        rules: Rules for further metrics, at most 39; all of them must hold. Literal.
        job: Your own evaluation program, as a SageMaker processing job on data that training never sees. The metrics
            that it reports replace those of training. None uses the metrics of training.
    """

    metric: str | None = "validation:accuracy"
    min_value: float | None = 0.8
    max_value: float | None = None
    beat_production_by: float | None = 0.0
    confidence_level: float | None = 0.95
    objective_type: Literal["Maximize", "Minimize"] | None = None
    rules: Sequence[Threshold] = ()
    job: EvaluationJob | None = None

    @classmethod
    def for_regression(
        cls,
        *,
        metric: str | None = "validation:rmse",
        min_value: float | None = None,
        max_value: float | None = None,
        beat_production_by: float | None = 0.0,
        confidence_level: float | None = 0.95,
        objective_type: Literal["Maximize", "Minimize"] | None = "Minimize",
        rules: Sequence[Threshold] = (Threshold(metric="validation:r2", min_value=0.0),),
        job: EvaluationJob | None = None,
    ) -> Evaluation:
        """For numbers: the error must not exceed that of production, and be smaller than that of the labels' mean.

        The second is what an R2 of at least 0 means. How large an error may be depends on the labels, so give
        ``max_value`` too.
        """
        return cls(
            metric=metric,
            min_value=min_value,
            max_value=max_value,
            beat_production_by=beat_production_by,
            confidence_level=confidence_level,
            objective_type=objective_type,
            rules=rules,
            job=job,
        )

    @classmethod
    def no_gate(cls, *, job: EvaluationJob | None = None) -> Evaluation:
        """No gate: every model that is trained is deployed to DEV, whatever its metrics, and a person decides.

        Synth, the action Gate and the evidence for the approver say so.
        """
        return cls(metric=None, min_value=None, beat_production_by=None, job=job)

    @property
    def thresholds(self) -> tuple[Threshold, ...]:
        """All rules, none without a gate; the first one consists of the other arguments."""
        if self.metric is None:
            return ()
        first = Threshold(**{field.name: getattr(self, field.name) for field in fields(Threshold)})
        return (first, *self.rules)

    def problems(self) -> Iterator[Problem]:
        """Yield what is wrong."""
        yield from self._problems_without_gate() if self.metric is None else self.thresholds[0].problems()
        for index, rule in enumerate(self.rules):
            yield from under(f"rules[{index}]", rule.problems())
        yield from self._double_problems()
        if len(self.rules) >= MAX_RULES:
            yield Problem("rules", f"must have at most {MAX_RULES - 1}", len(self.rules), "leave some out")
        if self.job is not None:
            yield from under("job", self.job.problems())

    def metric_problems(self, known: Collection[str]) -> Iterator[Problem]:
        """Yield a problem for each metric that nothing reports; ``known`` are those of training."""
        if self.job is not None or is_token([*known]):
            return
        for index, threshold in enumerate(self.thresholds):
            if not is_token(threshold.metric) and threshold.metric not in known:
                yield Problem(
                    "metric" if index == 0 else f"rules[{index - 1}].metric",
                    "must be one of training.metric_definitions",
                    threshold.metric,
                    f"use one of {sorted(known)}, or add it to training.metric_definitions",
                )

    def _problems_without_gate(self) -> Iterator[Problem]:
        for name in ("min_value", "max_value", "beat_production_by", "objective_type", "rules"):
            value = getattr(self, name)
            if value is not None and value != ():
                remedy = "name the metric, or use Evaluation.no_gate()"
                yield Problem(name, "needs a metric", value, remedy)

    def _double_problems(self) -> Iterator[Problem]:
        seen = {self.metric}
        for index, rule in enumerate(self.rules):
            if rule.metric in seen:
                remedy = "put min_value, max_value and beat_production_by of a metric into one rule"
                yield Problem(f"rules[{index}].metric", "must not have another rule", rule.metric, remedy)
            seen.add(rule.metric)
