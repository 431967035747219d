"""The watch over production: drift of what is captured, and the quality of the predictions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..errors import Problem, under
from ._part import Part
from ._rules import boolean, in_range, literal
from ._tokens import is_token
from .retraining import Retraining

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .dataset import Dataset
    from .endpoint import Endpoint

_LOOKS = (1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30, 60)
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_Dimension.html
_MAX_NAME = 255
PREDICTION = "prediction"


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality(Part):
    """The share of right predictions, from outcomes that are reported with ``mlops outcomes``.

    Attributes:
        min_accuracy: Share of right predictions that is tolerated, 0.001 to 0.999. Literal.
        level: Probability of ever raising a false alarm about it, 0.0001 to 0.2. Literal.
        maturity_window_in_hours: A request counts when it is older than this, 0.1 to 720 hours, with what has been
            reported by then: the longest delay of an outcome. Literal.
        absolute_tolerance: How far a right number may be from the outcome, 0 or more: 0.5 where the model responds with
            the probability of class 1. Literal.
        relative_tolerance: The same as a share of the outcome, 0 or more. Literal.
        estimated: Whether the accuracy is also estimated without outcomes, where the model responds with
            probabilities. Literal.
    """

    min_accuracy: float
    level: float = 0.05
    maturity_window_in_hours: float = 24.0
    absolute_tolerance: float = 0.0
    relative_tolerance: float = 0.0
    estimated: bool = False

    def problems(self) -> Iterator[Problem]:
        """Yield what is wrong."""
        yield from in_range("min_accuracy", self.min_accuracy, 0.001, 0.999)
        yield from in_range("level", self.level, 0.0001, 0.2)
        yield from in_range("maturity_window_in_hours", self.maturity_window_in_hours, 0.1, 720.0, "hours")
        yield from in_range("absolute_tolerance", self.absolute_tolerance, 0.0, 1e300)
        yield from in_range("relative_tolerance", self.relative_tolerance, 0.0, 1e300)
        yield from boolean("estimated", self.estimated)

    def to_json(self) -> dict[str, Any]:
        """Return what the function reads."""
        return {
            "min_accuracy": self.min_accuracy,
            "level": self.level,
            "maturity_window_in_seconds": self.maturity_window_in_hours * 3600.0,
            "absolute_tolerance": self.absolute_tolerance,
            "relative_tolerance": self.relative_tolerance,
            "estimated": self.estimated,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Monitoring(Part):
    """Compare what production captures with the training data: which feature differs, how much, since when.

    docs/drift.md explains the statistics and what breaks their promise. The baseline is made when a candidate is in
    DEV, from its own data set, and released with the model. With A/B tests the champion is watched.

    Attributes:
        looks_every_minutes: How often the function looks: 1 to 60 minutes, of which an hour is a multiple. Literal.
        level: Probability of ever raising a false alarm about any feature of a release, 0.0001 to 0.2. Literal.
        psi_limit: Population stability index that is tolerated, 0.001 to 10. Literal.
        wasserstein_limit: Distance in standard deviations that is tolerated, 0.001 to 100; for numbers. Literal.
        min_hours: An alarm needs records of so many hours, 0 to 720: 24 where the traffic differs from hour to hour.
            Literal.
        ignored_features: Features that are not watched. Without a data contract their names are ``column_2`` and so
            on, by their place in the data set. Literals.
        weights: Feature to its weight, 0.001 to 1,000, when the level is shared; 1 for all others. ``prediction`` is
            the prediction. Literals.
        predictions: Whether the predictions are watched; needs a channel ``validation`` or ``test``. Literal.
        one_record_per_user: Whether only the first record of each user and hour counts: the user is the part of the
            inference id before its first dot. Literal.
        feature_metrics: Whether evidence and effect of each feature become metrics of CloudWatch, each of which
            costs money; without them there is only the number of alarms. Literal.
        quality: The share of right predictions, or None.
        retraining: Start an execution on new data when an alarm is raised; None only notifies people.
    """

    looks_every_minutes: int = 60
    level: float = 0.05
    psi_limit: float = 0.1
    wasserstein_limit: float = 0.1
    min_hours: float = 0.0
    ignored_features: Sequence[str] = ()
    weights: Mapping[str, float] = field(default_factory=dict)
    predictions: bool = True
    one_record_per_user: bool = False
    feature_metrics: bool = True
    quality: Quality | None = None
    retraining: Retraining | None = None

    def problems(self) -> Iterator[Problem]:
        """Yield what is wrong."""
        if is_token(self.looks_every_minutes):
            yield from literal("looks_every_minutes", self.looks_every_minutes)
        elif self.looks_every_minutes not in _LOOKS:
            yield Problem("looks_every_minutes", f"must be one of {_LOOKS}", self.looks_every_minutes, "choose one")
        yield from in_range("level", self.level, 0.0001, 0.2)
        yield from in_range("psi_limit", self.psi_limit, 0.001, 10.0)
        yield from in_range("wasserstein_limit", self.wasserstein_limit, 0.001, 100.0, "standard deviations")
        yield from in_range("min_hours", self.min_hours, 0.0, 720.0, "hours")
        yield from self._name_problems()
        for name in ("predictions", "one_record_per_user", "feature_metrics"):
            yield from boolean(name, getattr(self, name))
        for part, name in ((self.quality, "quality"), (self.retraining, "retraining")):
            if part is not None:
                yield from under(name, part.problems())
        yield from self._retraining_problems()

    def _retraining_problems(self) -> Iterator[Problem]:
        # Without any reason it has a problem of its own.
        reasons = [] if self.retraining is None else self.retraining.reasons
        if not reasons or "drift" in reasons:
            return
        if self.quality is None:
            rule, remedy = (
                "must be True without quality, or no alarm starts anything",
                "give a Quality, or leave it out",
            )
            yield Problem("retraining.on_drift", rule, False, remedy)
        elif "quality" not in reasons and self.quality.estimated is False:
            rule = "is the only alarm that starts anything, and needs Quality(estimated=True)"
            yield Problem("retraining.on_estimated_quality", rule, True, "estimate it, or choose another alarm")

    def _name_problems(self) -> Iterator[Problem]:
        for index, name in enumerate([] if is_token(self.ignored_features) else self.ignored_features):
            yield from _name(f"ignored_features[{index}]", name)
        if is_token(self.ignored_features):
            yield from literal("ignored_features", self.ignored_features)
        if is_token(self.weights):
            yield from literal("weights", self.weights)
            return
        for name, weight in self.weights.items():
            place = f"weights[{name!r}]"
            yield from _name(place, name)
            yield from in_range(place, weight, 0.001, 1000.0)
        both = sorted(set(self.weights) & set(self.ignored_features)) if not is_token(self.ignored_features) else []
        for name in both:
            yield Problem(f"weights[{name!r}]", "is of a feature that is ignored", self.weights[name], "remove one")

    def problems_with(self, dev: Endpoint, production: Endpoint, dataset: Dataset) -> Iterator[Problem]:
        """Yield what does not fit the endpoints and the data sets."""
        yield from self._capture_problems(production)
        if dev.mode == "asynchronous" and self.predictions is True:
            rule = "needs a DEV endpoint that responds at once: the baseline is made of its responses"
            yield Problem("monitoring.predictions", rule, True, "use False, or another DEV endpoint")
        requests = dataset.requests
        least = None if requests is None else requests.production.min_sampling_percentage
        if least == 0 and not is_token(least):
            yield Problem(
                "dataset.requests.production.min_sampling_percentage",
                "must be above 0 with monitoring: a data set could switch data capture off, and nobody would notice",
                least,
                "use 1 or more",
            )
        yield from self._feature_problems(dataset)

    def _capture_problems(self, production: Endpoint) -> Iterator[Problem]:
        """https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-data-capture.html"""
        if production.mode != "real-time":
            rule = "needs a real-time production endpoint: SageMaker captures no requests of others"
            remedy = "leave monitoring out, or use a real-time endpoint"
            yield Problem("monitoring", rule, f"a {production.mode} production endpoint", remedy)
        elif production.data_capture is None:
            yield Problem(
                "monitoring",
                "needs production.data_capture: what is not captured cannot be watched",
                None,
                "give production a DataCapture, or leave monitoring out",
            )

    def _feature_problems(self, dataset: Dataset) -> Iterator[Problem]:
        contract = dataset.contract
        if contract is None or not contract.columns or is_token([self.ignored_features, self.weights]):
            return
        names = [column.name for column in contract.columns]
        label = names[0] if contract.label is None else contract.label
        if is_token([names, label]):
            return
        features = [name for name in names if name != label]
        for place, name in [
            *((f"ignored_features[{index}]", name) for index, name in enumerate(self.ignored_features)),
            *((f"weights[{name!r}]", name) for name in self.weights),
        ]:
            if name not in features and name != PREDICTION:
                rule = f"must be a feature of dataset.contract, or {PREDICTION!r}"
                yield Problem(f"monitoring.{place}", rule, name, f"the features are {', '.join(features)[:200]}")

    def to_json(self) -> dict[str, Any]:
        """Return what the functions read."""
        return {
            "looks_every_seconds": self.looks_every_minutes * 60,
            "plan": {
                "level": self.level,
                "weights": dict(self.weights),
                "psi_limit": self.psi_limit,
                "wasserstein_limit": self.wasserstein_limit,
                "min_hours": self.min_hours,
            },
            "ignored_features": list(self.ignored_features),
            "predictions": self.predictions,
            "one_record_per_user": self.one_record_per_user,
            "feature_metrics": self.feature_metrics,
            "quality": None if self.quality is None else self.quality.to_json(),
        }


def _name(place: str, name: object) -> Iterator[Problem]:
    if is_token(name):
        yield from literal(place, name)
    elif not isinstance(name, str) or not 0 < len(name) <= _MAX_NAME:
        yield Problem(place, f"must be a name of 1 to {_MAX_NAME} characters", name, "give the name of a column")
