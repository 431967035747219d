"""Built-in algorithms: their images are those of the SageMaker SDK, and what cannot work is refused at synth."""

from __future__ import annotations

import json
from importlib.metadata import distribution
from typing import Any

import botocore.session
import pytest
from configuration import problems

from mlops_constructs import Algorithm, Evaluation, IntegerParameter, Training, Tuning
from mlops_constructs.config.builtin import METRICS, BuiltinAlgorithm, versions_of

PARTITIONS = ("aws", "aws-us-gov")
XGBOOST = Algorithm.builtin("xgboost", "1.7-1")
FITTING = {"num_round": 100, "eval_metric": "accuracy"}
LINEAR = Training(hyperparameters={"predictor_type": "multiclass_classifier"})


def registry(name: str) -> dict[str, Any]:
    """Read the SDK's own registry of an algorithm's training images."""
    place = distribution("sagemaker-core").locate_file(f"sagemaker/core/image_uri_config/{name}.json")
    config: dict[str, Any] = json.loads(place.read_text())  # type: ignore[attr-defined]
    versions: dict[str, Any] = config.get("training", config)["versions"]
    return versions


@pytest.fixture(scope="module")
def offered() -> set[str]:
    """Every region of the partitions that the construct works in."""
    session = botocore.session.Session()
    regions = {region for name in METRICS for versions in registry(name).values() for region in versions["registries"]}
    return {region for region in regions if session.get_partition_for_region(region) in PARTITIONS}


@pytest.mark.parametrize(("name", "version"), [(name, version) for name in METRICS for version in versions_of(name)])
def test_every_region_has_the_account_and_the_image_of_the_sdk(name: str, version: str, offered: set[str]) -> None:
    theirs = registry(name)[version]
    accounts = {region: account for region, account in theirs["registries"].items() if region in offered}
    tag = f"{version}-cpu-py3" if theirs.get("py_versions") else version
    ours = BuiltinAlgorithm(name=name, version=version)
    assert ours.accounts == accounts
    assert (ours.repository, ours.tag) == (theirs["repository"], tag)


@pytest.mark.parametrize("name", METRICS)
def test_no_version_of_the_sdk_is_forgotten(name: str) -> None:
    # XGBoost "1" is release 0.72, of before the image that reports these metrics.
    theirs = [version for version in registry(name) if (name, version) != ("xgboost", "1")]
    assert versions_of(name) == theirs


@pytest.mark.parametrize("name", METRICS)
def test_gov_cloud_has_it_and_china_is_left_out(name: str) -> None:
    regions = BuiltinAlgorithm(name=name, version=versions_of(name)[-1]).accounts
    assert {"us-gov-west-1", "us-gov-east-1"} <= set(regions)
    assert not [region for region in regions if region.startswith("cn-")]


@pytest.mark.parametrize(
    ("name", "version", "expected"),
    [
        ("xgboost", "1.6", "algorithm.built_in.version: must be one of ['0.90-1', "),
        ("linear-learner", "2", "algorithm.built_in.version: must be one of ['1'], got '2'"),
        ("forest", "1", "algorithm.built_in.name: must be one of ['knn', 'linear-learner', 'xgboost'], got 'forest'"),
        ("factorization-machines", "1", "algorithm.built_in.name: factorization-machines does not train on CSV"),
        ("kmeans", "1", "algorithm.built_in.name: kmeans learns without labels"),
        ("pca", "1", "algorithm.built_in.name: pca learns without labels"),
        ("lightgbm", "1", "algorithm.built_in.name: lightgbm is a script of JumpStart and has no image of its own"),
        ("${TfToken[TOKEN.3]}", "1", "algorithm.built_in.name: must be known at synth"),
        ("xgboost", "${TfToken[TOKEN.3]}", "algorithm.built_in.version: must be known at synth"),
    ],
)
def test_what_is_not_offered_is_refused_with_the_reason(name: str, version: str, expected: str) -> None:
    (line,) = problems(algorithm=Algorithm.builtin(name, version))
    assert line.startswith(expected)


@pytest.mark.parametrize(
    ("algorithm", "parts"),
    [
        (XGBOOST, {"training": Training(hyperparameters=FITTING)}),
        (
            XGBOOST,
            {
                "training": Training(hyperparameters={"num_round": 5, "eval_metric": "merror,mlogloss"}),
                "evaluation": Evaluation(metric="validation:mlogloss", min_value=None, max_value=0.4),
            },
        ),
        (
            Algorithm.builtin("linear-learner", "1"),
            {"training": LINEAR, "evaluation": Evaluation(metric="validation:multiclass_accuracy")},
        ),
        (
            Algorithm.builtin("knn", "1"),
            {
                "training": Training(
                    hyperparameters={"feature_dim": 4, "k": 5, "predictor_type": "classifier", "sample_size": 100}
                ),
                "evaluation": Evaluation(metric="test:accuracy"),
            },
        ),
        (
            XGBOOST,
            {
                "training": Training(hyperparameters={"eval_metric": "accuracy"}),
                "tuning": Tuning(
                    hyperparameter_ranges={"num_round": IntegerParameter(10, 100)},
                    objective_metric_name="validation:accuracy",
                ),
            },
        ),
    ],
)
def test_what_fits_has_no_problem(algorithm: Algorithm, parts: dict[str, Any]) -> None:
    assert problems(algorithm=algorithm, **parts) == []


def test_the_default_gate_says_what_xgboost_needs_for_it() -> None:
    assert problems(algorithm=XGBOOST, training=Training(hyperparameters={"num_round": 5})) == [
        "training.hyperparameters['eval_metric']: must hold 'accuracy', or XGBoost does not report "
        "validation:accuracy, got None; give for example 'accuracy' (separate several by commas), or choose another "
        "metric for the gate"
    ]


def test_the_default_gate_does_not_fit_linear_learner() -> None:
    (line,) = problems(algorithm=Algorithm.builtin("linear-learner", "1"), training=LINEAR)
    assert line.startswith("evaluation.metric: must be one that linear-learner reports, got 'validation:accuracy'")
    assert "'validation:multiclass_accuracy'" in line


def test_a_loss_needs_a_maximum_and_no_minimum() -> None:
    training = Training(hyperparameters={"num_round": 5, "eval_metric": "error"})
    lines = problems(algorithm=XGBOOST, training=training, evaluation=Evaluation(metric="validation:error"))
    assert [line.partition(" is ")[0] for line in lines] == [
        "evaluation.objective_type: validation:error",
        "evaluation.min_value: validation:error",
    ]


def test_an_accuracy_with_only_a_maximum_would_be_judged_the_wrong_way_round() -> None:
    gate = Evaluation(min_value=None, max_value=0.9)
    (line,) = problems(algorithm=XGBOOST, training=Training(hyperparameters=FITTING), evaluation=gate)
    assert line.startswith("evaluation.max_value: validation:accuracy is better when it is higher, got 0.9")


@pytest.mark.parametrize(
    ("name", "missing"),
    [
        ("xgboost", ["num_round"]),
        ("linear-learner", ["predictor_type"]),
        ("knn", ["feature_dim", "k", "predictor_type", "sample_size"]),
    ],
)
def test_hyperparameters_without_a_default_are_asked_for(name: str, missing: list[str]) -> None:
    found = problems(algorithm=Algorithm.builtin(name, versions_of(name)[-1]))
    for hyperparameter in missing:
        assert f"training.hyperparameters['{hyperparameter}']: {name} requires it, got None; give it" in found


@pytest.mark.parametrize(
    ("search", "expected"),
    [
        (
            {"objective_metric_name": "validation:acc"},
            "tuning.objective_metric_name: must be one that xgboost reports, got 'validation:acc'",
        ),
        (
            {"objective_metric_name": "validation:rmse"},
            "tuning.objective_type: validation:rmse is better when it is lower, got 'Maximize'",
        ),
    ],
)
def test_a_search_judges_by_what_the_algorithm_reports(search: dict[str, Any], expected: str) -> None:
    tuning = Tuning(hyperparameter_ranges={"max_depth": IntegerParameter(1, 10)}, **search)
    (line,) = problems(algorithm=XGBOOST, training=Training(hyperparameters=FITTING), tuning=tuning)
    assert line.startswith(expected)


def test_metric_definitions_are_sagemakers_own() -> None:
    training = Training(hyperparameters=FITTING, metric_definitions={"validation:accuracy": "accuracy=(.*)"})
    (line,) = problems(algorithm=XGBOOST, training=training)
    assert line.startswith("training.metric_definitions: SageMaker knows the metrics of xgboost")


def test_only_xgboost_answers_in_csv() -> None:
    answers = {name: Algorithm.builtin(name, versions_of(name)[-1]).accept for name in METRICS}
    assert answers == {"xgboost": "text/csv", "linear-learner": "application/json", "knn": "application/json"}
    assert Algorithm.from_directory("x").accept == "text/csv"
