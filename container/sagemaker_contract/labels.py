"""The label of a row: the name of a class, or a number to predict."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sagemaker_contract.cells import shown
from sagemaker_contract.errors import DataError

if TYPE_CHECKING:
    from sagemaker_contract.columns import Layout


def class_of(place: str, cell: Any, layout: Layout) -> str:
    """The name of a class.

    Raises:
        DataError: If it is missing, or neither a text nor a number.
    """
    label = "" if cell is None else str(cell).strip()
    if label and "\0" not in label and isinstance(cell, (str, int, float, Decimal)) and _is_finite(cell):
        return label
    problem = f"{shown(str(cell))} is not a label" if label else "the label is missing"
    remedy = "write a text or a number, or remove the row"
    raise DataError(f"{place}, {layout.name_of(layout.label_index)}: {problem}; {remedy}")


def target_of(place: str, cell: Any, layout: Layout) -> float:
    """The number to predict.

    Raises:
        DataError: If it is missing, or not a finite number.
    """
    text = class_of(place, cell, layout)
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if math.isfinite(number) and "_" not in text:
        return number
    raise DataError(
        f"{place}, {layout.name_of(layout.label_index)}: {shown(text)} is not a number, and a regression predicts"
        " numbers; the label is the first column, unless a data contract names it"
    )


def _is_finite(label: str | float | Decimal) -> bool:
    return not isinstance(label, (float, Decimal)) or math.isfinite(label)
