"""SageMaker's strings become the declared types, or a sentence."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from sagemaker_contract.errors import ConfigurationError
from sagemaker_contract.training.hyperparameters import parse_hyperparameters


@dataclass(frozen=True)
class Declared:
    trees: int = 120
    depth: int | None = None
    rate: float = 0.1
    balanced: bool = False
    name: str = "forest"

    def __post_init__(self) -> None:
        if self.trees < 1:
            raise ValueError(f"trees must be at least 1, got {self.trees}")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, Declared()),
        ({"trees": "7", "depth": "3"}, Declared(trees=7, depth=3)),
        ({"depth": "None"}, Declared(depth=None)),
        ({"rate": "1e-3", "balanced": "True"}, Declared(rate=0.001, balanced=True)),
        ({"balanced": "0", "name": "12"}, Declared(balanced=False, name="12")),
        ({"trees": 7, "balanced": True}, Declared(trees=7, balanced=True)),
        ({"_tuning_objective_metric": "x", "sagemaker_job_name": "y"}, Declared()),
    ],
)
def test_values_are_parsed_by_their_type(given: dict[str, object], expected: Declared) -> None:
    assert parse_hyperparameters(given, Declared) == expected


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"trees": "1.5"}, "trees must be a whole number, got '1.5'"),
        ({"depth": "deep"}, "depth must be a whole number or none, got 'deep'"),
        ({"rate": "nan"}, "rate must be a number, got 'nan'"),
        ({"balanced": "maybe"}, "balanced must be true or false, got 'maybe'"),
        ({"treees": "1"}, "treees is unknown (known: trees, depth, rate, balanced, name)"),
        ({"trees": "0"}, "trees must be at least 1, got 0"),
    ],
)
def test_a_bad_value_is_named_with_what_it_must_be(given: dict[str, object], reason: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_hyperparameters(given, Declared)
    assert str(caught.value) == f"hyperparameters: {reason}"
