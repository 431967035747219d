"""Standard errors of metrics: how much a metric would vary if other rows had been chosen for validation.

Report each beside its metric, as ``<metric>_se``. The evaluation gate then compares a candidate with production by more
than the last digit: a difference that chance explains is none.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def of_share(share: float, rows: int) -> float:
    """Standard error of a share of rows, such as the accuracy.

    One row is added on either side, so that it is not zero where all rows are right: A. Agresti, B. Caffo, Simple and
    effective confidence intervals for proportions and differences of proportions result from adding two successes and
    two failures, The American Statistician 54 (2000).
    """
    adjusted = (share * rows + 1) / (rows + 2)
    return math.sqrt(adjusted * (1 - adjusted) / (rows + 2))


def of_mean(values: NDArray[np.float64]) -> float:
    """Standard error of a mean over rows, such as the mean absolute error; 0 for a single row."""
    return float(values.std(ddof=1)) / math.sqrt(len(values)) if len(values) > 1 else 0.0


def of_root_mean_square(errors: NDArray[np.float64]) -> float:
    """Standard error of a root mean square, such as the RMSE, by the delta method: that of the mean / (2 * root)."""
    root = math.sqrt(float((errors**2).mean()))
    return of_mean(errors**2) / (2 * root) if root else 0.0
