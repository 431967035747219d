"""The metrics that SageMaker finds in the log of its built-in algorithms, without metric definitions."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# In a container's log, a tab may be written as #011.
_XGBOOST = re.compile(r"(?:#011|\t)(train|validation)-(\w+):([^\s#]+)")
_FIRST_PARTY = re.compile(
    r"#quality_metric: host=\S+, (?:epoch=\S+, )?(train|validation|test) (\S+) <(?:loss|score)>=(\S+)"
)
# The log contains binary_f_1.000; the metric's name is binary_f_beta.
_NAMES = (
    (re.compile(r"\S+_objective"), "objective_loss"),
    (re.compile(r"(binary|macro)_f_\S+"), r"\1_f_beta"),
    (re.compile(r"multiclass_top_k_accuracy_\S+"), "multiclass_top_k_accuracy"),
)


def predefined(lines: Iterable[str]) -> dict[str, float]:
    """The last value of each metric that xgboost, linear-learner or knn prints."""
    found: dict[str, float] = {}
    for line in lines:
        for name, text in _matches(line):
            try:
                found[name] = float(text)
            except ValueError:
                continue
    return found


def _matches(line: str) -> Iterator[tuple[str, str]]:
    if re.match(r".*\[\d+\]", line):
        for channel, name, value in _XGBOOST.findall(line):
            yield f"{channel}:{name}", value
    for channel, name, value in _FIRST_PARTY.findall(line):
        for pattern, wanted in _NAMES:
            name = pattern.sub(wanted, name)
        yield f"{channel}:{name}", value
