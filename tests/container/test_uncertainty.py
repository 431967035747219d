"""The standard errors of metrics, beside those of repeated samples."""

from __future__ import annotations

import numpy as np
import pytest
from sagemaker_contract.uncertainty import of_mean, of_root_mean_square, of_share

RANDOM = np.random.default_rng(0)
SAMPLES = RANDOM.normal(0, 3, (4000, 50))


@pytest.mark.parametrize(("share", "rows"), [(0.8, 50), (0.5, 400), (0.97, 1000)])
def test_share(share: float, rows: int) -> None:
    found = RANDOM.binomial(rows, share, 4000) / rows
    assert np.mean([of_share(one, rows) for one in found]) == pytest.approx(found.std(), rel=0.05)


def test_share_of_all_rows_is_not_certain() -> None:
    assert of_share(1.0, 30) == of_share(0.0, 30) == pytest.approx(0.0308, abs=1e-4)
    assert of_share(1.0, 3000) < of_share(1.0, 30) / 50


def test_mean_and_root_mean_square() -> None:
    means = np.abs(SAMPLES).mean(axis=1)
    roots = np.sqrt((SAMPLES**2).mean(axis=1))
    assert np.mean([of_mean(np.abs(one)) for one in SAMPLES]) == pytest.approx(means.std(), rel=0.05)
    assert np.mean([of_root_mean_square(one) for one in SAMPLES]) == pytest.approx(roots.std(), rel=0.05)


def test_a_single_row_and_no_error_have_none() -> None:
    assert of_mean(np.ones(1)) == of_root_mean_square(np.zeros(5)) == 0.0
