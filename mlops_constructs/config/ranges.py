"""The ranges of a hyperparameter search."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

from ..errors import Problem
from ._part import Part
from ._rules import literal, one_of, text
from ._tokens import is_token

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping


@dataclass(frozen=True, slots=True)
class IntegerParameter(Part):
    """Whole numbers from ``min_value`` to ``max_value``.

    Attributes:
        min_value: Smallest value. Literal.
        max_value: Largest value, greater than ``min_value``. Literal.
        scaling_type: ``Auto``, ``Linear`` or, for numbers above 0, ``Logarithmic``. Literal.
            https://docs.aws.amazon.com/sagemaker/latest/dg/automatic-model-tuning-define-ranges.html
    """

    min_value: int
    max_value: int
    scaling_type: Literal["Auto", "Linear", "Logarithmic"] = field(default="Auto", kw_only=True)

    def problems(self) -> Iterator[Problem]:
        """Yield what is wrong."""
        yield from _numeric_problems(self, ("Auto", "Linear", "Logarithmic"))


@dataclass(frozen=True, slots=True)
class ContinuousParameter(Part):
    """Numbers from ``min_value`` to ``max_value``.

    Attributes:
        min_value: Smallest value. Literal.
        max_value: Largest value, greater than ``min_value``. Literal.
        scaling_type: ``Auto``, ``Linear``, ``Logarithmic`` for numbers above 0, or ``ReverseLogarithmic`` for numbers
            from 0 to below 1. Literal.
    """

    min_value: float
    max_value: float
    scaling_type: Literal["Auto", "Linear", "Logarithmic", "ReverseLogarithmic"] = field(default="Auto", kw_only=True)

    def problems(self) -> Iterator[Problem]:
        """Yield what is wrong."""
        yield from _numeric_problems(self, ("Auto", "Linear", "Logarithmic", "ReverseLogarithmic"))


@dataclass(frozen=True, slots=True)
class CategoricalParameter(Part):
    """One of some values.

    Attributes:
        values: 1 to 30 different values of at most 256 characters. Literals.
    """

    values: Sequence[str | int | float | bool]

    def problems(self) -> Iterator[Problem]:
        """Yield what is wrong."""
        yield from literal("values", self.values)
        if not 1 <= len(self.values) <= 30:
            yield Problem("values", "must be a list of 1 to 30 values", self.values, "give that many")
            return
        texts = [str(value) for value in self.values]
        if len(set(texts)) < len(texts):
            yield Problem("values", "must differ", self.values, "remove the repeated ones")
        for index, value in enumerate(self.values):
            if not is_token(value):
                yield from text(f"values[{index}]", value)
            if len(texts[index]) > 256:
                rule = "must have at most 256 characters"
                yield Problem(f"values[{index}]", rule, f"{len(texts[index])} characters", "shorten it")


Range: TypeAlias = IntegerParameter | ContinuousParameter | CategoricalParameter


def wire_value(value: str | int | float | bool) -> str:
    """Write a hyperparameter as SageMaker expects it: a string unchanged, anything else as JSON text."""
    return value if isinstance(value, str) else json.dumps(value)


def json_value(value: str | int | float | bool) -> str:
    """Write a hyperparameter of a script, as the SageMaker SDK does: a string too is JSON text, in quotes.

    The toolkit reads every value as JSON, so that ``"20"`` remains a string.
    https://github.com/aws/sagemaker-training-toolkit
    """
    return json.dumps(value)


def parameter_ranges(
    ranges: Mapping[str, Range], written_value: Callable[[str | int | float | bool], str] = wire_value
) -> dict[str, list[dict[str, object]]]:
    """Write ranges as CreateHyperParameterTuningJob expects them; ``written_value`` writes a categorical value."""
    written: dict[str, list[dict[str, object]]] = {}
    for name, range_ in ranges.items():
        entry: dict[str, object] = {"Name": name}
        if isinstance(range_, CategoricalParameter):
            entry["Values"] = [written_value(value) for value in range_.values]
        else:
            low, high = wire_value(range_.min_value), wire_value(range_.max_value)
            entry |= {"MinValue": low, "MaxValue": high, "ScalingType": range_.scaling_type}
        written.setdefault(f"{type(range_).__name__}Ranges", []).append(entry)
    return written


def _numeric_problems(range_: IntegerParameter | ContinuousParameter, scalings: Sequence[str]) -> Iterator[Problem]:
    low, high, scaling = range_.min_value, range_.max_value, range_.scaling_type
    if is_token([low, high]):
        yield from literal("min_value", low)
        yield from literal("max_value", high)
        return
    # Not math.isfinite, which cannot compare a whole number above 1e308.
    if not -math.inf < low < high < math.inf:
        yield Problem("max_value", f"must be a number above min_value ({low})", high, "raise it")
        return
    yield from one_of("scaling_type", scaling, scalings)
    if scaling == "Logarithmic" and low <= 0:
        yield Problem("min_value", "must be above 0 for a logarithmic scale", low, "raise it, or use another scaling")
    elif scaling == "ReverseLogarithmic" and not (low >= 0 and high < 1):
        rule = "must be from 0 to below 1 for a reverse logarithmic scale"
        yield Problem("max_value", rule, (low, high), "narrow the range, or use another scaling")
