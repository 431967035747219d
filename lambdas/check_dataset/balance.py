"""Whether there is enough to learn from: the rows and classes of the channel train."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from check_dataset.table import MAX_CLASSES
from handler_kit.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from check_dataset.contract import Contract
    from check_dataset.table import Table


def check_training(tables: Sequence[Table], contract: Contract) -> None:
    """Check that there is enough to learn from. Raises ConfigurationError that names the object and the column."""
    place = ", ".join(table.place for table in tables[:3])
    count = sum(table.count for table in tables)
    whole = not any(table.truncated for table in tables)
    for minimum in sorted({2, contract.min_rows}):
        if whole and count < minimum:
            rows = f"only {count} {'row' if count == 1 else 'rows'}"
            raise ConfigurationError(f"{place}: {rows}; a training set needs at least {minimum}")
    labels: Counter[str] = Counter()
    for table in tables:
        labels.update(table.labels)
    if len(labels) == 1:
        raise ConfigurationError(
            f"{place}, column {_label(contract)}: every sampled label is {next(iter(labels))!r}; training needs at"
            " least 2 classes (the label must be the first column, unless a contract names it; shuffle a file that"
            " is sorted by label)"
        )
    _check_balance(place, labels, contract)


def _check_balance(place: str, labels: Counter[str], contract: Contract) -> None:
    min_share = contract.min_class_share
    # JSON objects have no label, unless a contract names their members.
    if min_share == 0.0 or not labels:
        return
    if len(labels) > MAX_CLASSES:
        raise ConfigurationError(
            f"{place}, column {_label(contract)}: more than {MAX_CLASSES} different labels, so"
            " min_class_share cannot hold; is this the label?"
        )
    rarest, rows = min(labels.items(), key=lambda pair: (pair[1], pair[0]))
    if rows < min_share * labels.total():
        raise ConfigurationError(
            f"{place}, column {_label(contract)}: the class {rarest!r} has {rows} of {labels.total()} rows"
            f" ({rows / labels.total():.2%}); the contract requires at least {min_share:.2%}"
        )


def _label(contract: Contract) -> str:
    if not contract.columns:
        return "1"
    return f"{contract.label_index + 1} ({contract.names[contract.label_index]})"
