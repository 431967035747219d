"""The worked example itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import algorithm
import numpy as np
import pytest
from sagemaker_contract.interface import Algorithm

if TYPE_CHECKING:
    from conftest import Trained


def test_example_has_every_function_of_the_interface() -> None:
    names = [name for name in vars(Algorithm) if not name.startswith("_")]
    assert len(names) == 6
    assert all(callable(getattr(algorithm, name)) for name in (*names, "Hyperparameters"))


def test_predict_agrees_with_the_forest(trained: Trained) -> None:
    model = algorithm.load(trained.job.model.parent)
    records = np.random.default_rng(0).uniform(0, 8, (5000, 4))
    assert algorithm.predict(model, records) == model.predict(records).tolist()


@pytest.mark.parametrize(
    ("name", "value"),
    [("n_estimators", 0), ("max_depth", 0), ("min_samples_leaf", 0), ("validation_fraction", 1.0)],
)
def test_hyperparameter_out_of_range_is_named(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=f"^{name} must be "):
        algorithm.Hyperparameters(**{name: value})
