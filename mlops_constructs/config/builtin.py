"""SageMaker's built-in algorithms: their images, what they need, what they report."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ..errors import Problem
from ._part import Part
from ._rules import matches
from .training import DEFAULT_METRICS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .evaluation import Evaluation, Threshold
    from .training import Training
    from .tuning import Tuning

Better = Literal["higher", "lower"]

# Metric to direction, without those of the training channel: they do not show how good a model is.
# https://docs.aws.amazon.com/sagemaker/latest/dg/xgboost-tuning.html
_XGBOOST: dict[str, Better] = {
    **dict.fromkeys(("accuracy", "auc", "f1", "map", "ndcg"), "higher"),
    **dict.fromkeys(("error", "logloss", "mae", "merror", "mlogloss", "mse", "rmse"), "lower"),
}
# https://docs.aws.amazon.com/sagemaker/latest/dg/linear-learner-tuning.html
_LINEAR_LEARNER: dict[str, Better] = {
    **dict.fromkeys(
        (
            "binary_classification_accuracy",
            "binary_f_beta",
            "dcg",
            "macro_f_beta",
            "macro_precision",
            "macro_recall",
            "multiclass_accuracy",
            "multiclass_top_k_accuracy",
            "precision",
            "recall",
        ),
        "higher",
    ),
    **dict.fromkeys(("absolute_loss", "mse", "objective_loss"), "lower"),
}
METRICS: dict[str, dict[str, Better]] = {
    "xgboost": {f"validation:{name}": better for name, better in _XGBOOST.items()},
    "linear-learner": {
        f"{channel}:{name}": better for channel in ("validation", "test") for name, better in _LINEAR_LEARNER.items()
    },
    # https://docs.aws.amazon.com/sagemaker/latest/dg/kNN-tuning.html
    "knn": {"test:accuracy": "higher", "test:mse": "lower"},
}
# Hyperparameters without a default:
# https://docs.aws.amazon.com/sagemaker/latest/dg/xgboost_hyperparameters.html, .../ll_hyperparameters.html,
# .../kNN_hyperparameters.html
_REQUIRED = {
    "xgboost": ("num_round",),
    "linear-learner": ("predictor_type",),
    "knn": ("feature_dim", "k", "predictor_type", "sample_size"),
}
_UNSUPERVISED = "learns without labels, but a data set's first column is the label"
_SCRIPTS = "is a script of JumpStart and has no image of its own; package it in a container of your own"
_NOT_OFFERED = {
    "factorization-machines": "does not train on CSV",
    "kmeans": _UNSUPERVISED,
    "pca": _UNSUPERVISED,
    "randomcutforest": _UNSUPERVISED,
    "autogluon": _SCRIPTS,
    "catboost": _SCRIPTS,
    "lightgbm": _SCRIPTS,
    "tabtransformer": _SCRIPTS,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltinAlgorithm(Part):
    """A built-in algorithm of SageMaker; see ``Algorithm.builtin``.

    Attributes:
        name: ``xgboost``, ``linear-learner`` or ``knn``. Literal.
        version: One of ``versions_of(name)``. Literal.
    """

    name: str
    version: str

    @property
    def repository(self) -> str:
        """Name of its ECR repository, the same in every region."""
        found: str = _facts(self.name)["repository"]
        return found

    @property
    def tag(self) -> str:
        """Tag of its image."""
        found: str = _facts(self.name)["tags"][self.version]
        return found

    @property
    def accounts(self) -> Mapping[str, str]:
        """Region to the account whose registry has the image, for every region that offers it."""
        found: dict[str, str] = _images()["accounts"][_facts(self.name)["accounts"]]
        return found

    @property
    def accept(self) -> str:
        """Content type of its endpoint's response to CSV."""
        return "text/csv" if self.name == "xgboost" else "application/json"

    @property
    def metrics(self) -> Mapping[str, Better]:
        """Metric to the direction that is better. SageMaker defines them: a request must not."""
        return METRICS[self.name]

    def problems(self) -> Iterator[Problem]:
        """Yield what is wrong."""
        offered = sorted(METRICS)
        if self.name in _NOT_OFFERED:
            remedy = f"use one of {offered}, or a container of your own"
            yield Problem("name", f"{self.name} {_NOT_OFFERED[self.name]}", self.name, remedy)
        elif self.name not in METRICS:
            pattern = "|".join(offered)
            yield from matches("name", self.name, pattern, f"must be one of {offered}", "correct it")
        else:
            versions = versions_of(self.name)
            pattern = "|".join(version.replace(".", r"\.") for version in versions)
            yield from matches("version", self.version, pattern, f"must be one of {versions}", "choose one")

    def problems_with(self, training: Training, tuning: Tuning | None, evaluation: Evaluation) -> Iterator[Problem]:
        """Yield what in training, tuning and evaluation does not fit the algorithm."""
        given: dict[str, object] = dict(training.hyperparameters)
        if tuning is not None:
            given.update(tuning.hyperparameter_ranges)
            yield from self._objective_problems(tuning)
        for name in _REQUIRED[self.name]:
            if name not in given:
                rule = f"{self.name} requires it"
                yield Problem(f"training.hyperparameters[{name!r}]", rule, None, "give it")
        if training.metric_definitions != DEFAULT_METRICS:
            rule = f"SageMaker knows the metrics of {self.name}"
            yield Problem("training.metric_definitions", rule, sorted(training.metric_definitions), "leave them out")
        if evaluation.job is None:
            for index, threshold in enumerate(evaluation.thresholds):
                yield from self._threshold_problems(threshold, "" if index == 0 else f"rules[{index - 1}].", given)

    def _objective_problems(self, tuning: Tuning) -> Iterator[Problem]:
        better = self.metrics.get(tuning.objective_metric_name)
        if better is None:
            remedy = f"use one of {sorted(self.metrics)}"
            yield Problem(
                "tuning.objective_metric_name",
                f"must be one that {self.name} reports",
                tuning.objective_metric_name,
                remedy,
            )
        elif tuning.objective_type != (wanted := "Maximize" if better == "higher" else "Minimize"):
            rule = f"{tuning.objective_metric_name} is better when it is {better}"
            yield Problem("tuning.objective_type", rule, tuning.objective_type, f"use '{wanted}'")

    def _threshold_problems(self, threshold: Threshold, place: str, given: Mapping[str, object]) -> Iterator[Problem]:
        better = self.metrics.get(threshold.metric)
        if better is None:
            rule = f"must be one that {self.name} reports"
            yield Problem(f"evaluation.{place}metric", rule, threshold.metric, f"use one of {sorted(self.metrics)}")
            return
        if self.name == "xgboost":
            yield from _eval_metric_problems(threshold.metric, given.get("eval_metric"))
        yield from _direction_problems(threshold, place, better)


def versions_of(name: str) -> list[str]:
    """Return the versions of a supported algorithm."""
    return list(_facts(name)["tags"])


def _eval_metric_problems(metric: str, given: object) -> Iterator[Problem]:
    wanted = metric.partition(":")[2]
    if wanted not in str(given).split(","):
        yield Problem(
            "training.hyperparameters['eval_metric']",
            f"must hold {wanted!r}, or XGBoost does not report {metric}",
            given,
            f"give for example {wanted!r} (separate several by commas), or choose another metric for the gate",
        )


def _direction_problems(threshold: Threshold, place: str, better: Better) -> Iterator[Problem]:
    if better == "lower" and threshold.min_value is not None:
        rule = f"{threshold.metric} is better when it is lower"
        yield Problem(f"evaluation.{place}min_value", rule, threshold.min_value, "give min_value=None and a max_value")
    if better == "higher" and threshold.min_value is None and threshold.max_value is not None:
        rule = f"{threshold.metric} is better when it is higher"
        yield Problem(f"evaluation.{place}max_value", rule, threshold.max_value, "give a min_value")


@cache
def _images() -> dict[str, Any]:
    images: dict[str, Any] = json.loads(Path(__file__).with_name("builtin_images.json").read_text(encoding="utf-8"))
    return images


def _facts(name: str) -> dict[str, Any]:
    facts: dict[str, Any] = _images()["algorithms"][name]
    return facts
