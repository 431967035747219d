"""The columns of the training data, as the pipeline's data contract declares them.

The pipeline passes them in the environment variable MLOPS_COLUMNS: ``{"names": [...], "header": false, "label":
"bought", "label_index": 2}``. SageMaker limits the length of a variable, so a long text continues in MLOPS_COLUMNS_2,
and so on. Without the variable the label is the first column, and CSV has no header.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sagemaker_contract.errors import ConfigurationError, DataError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

VARIABLE = "MLOPS_COLUMNS"


@dataclass(frozen=True)
class Columns:
    """What is known about the columns before a file is read.

    Attributes:
        names: Their names, in the order of the features; ``None`` if they are unknown.
        header: Whether CSV and TSV files begin with the names.
        label: Name of the column with the label; ``None`` for the column at ``label_index``.
        label_index: Index of the label in a row without names.
    """

    names: tuple[str, ...] | None = None
    header: bool = False
    label: str | None = None
    label_index: int = 0

    @classmethod
    def from_env(cls, environment: Mapping[str, str] | None = None) -> Columns:
        """Read the columns that the pipeline passes; without them, the defaults.

        Raises:
            ConfigurationError: If the variable is not what a pipeline writes.
        """
        text = "".join(_parts(os.environ if environment is None else environment))
        if not text:
            return cls()
        try:
            given = json.loads(text)
            names = None if given["names"] is None else tuple(map(str, given["names"]))
            return cls(names, bool(given["header"]), str(given["label"]), int(given["label_index"]))
        except (ValueError, KeyError, TypeError) as error:
            raise ConfigurationError(
                f"{VARIABLE} does not describe columns ({type(error).__name__}: {error}); the pipeline sets it"
            ) from error


def _parts(environment: Mapping[str, str]) -> Iterator[str]:
    number = 1
    while part := environment.get(VARIABLE if number == 1 else f"{VARIABLE}_{number}"):
        yield part
        number += 1


class Layout:
    """The columns of all files of a channel: of the data contract, or of the first file or line that has names.

    Attributes:
        columns: What is known from the data contract.
        names: The names, in the order of the cells of every row; ``None`` until a file has names.
        width: Number of columns; 0 until a row is read.
        takes_text: Whether a column that is not the label may have text.
    """

    def __init__(self, columns: Columns, *, takes_text: bool = False) -> None:
        self.columns = columns
        self.takes_text = takes_text
        self.names: Sequence[str] | None = columns.names
        self.width = 0 if columns.names is None else len(columns.names)
        self._first_place = "the data contract"

    @property
    def label_index(self) -> int:
        """Index of the label in a row."""
        if self.columns.label is not None and self.names is not None and self.columns.label in self.names:
            return self.names.index(self.columns.label)
        return self.columns.label_index

    @property
    def feature_names(self) -> tuple[str, ...] | None:
        """The names of all columns but the label."""
        if self.names is None:
            return None
        return tuple(name for index, name in enumerate(self.names) if index != self.label_index)

    def order(self, place: str, found: Sequence[str]) -> list[int | None]:
        """Where each column is among the names of a file or line; ``None`` for a column that it may lack.

        Raises:
            DataError: For a name that is unknown or missing.
        """
        if self.names is None:
            if self.columns.label is not None and self.columns.label not in found:
                raise DataError(f"{place}: there is no column {self.columns.label!r}, the label of the data contract")
            self.names = list(found)
            self.check_width(place, len(self.names))
        names = self.names
        if unknown := [name for name in found if name not in names]:
            raise DataError(f"{place}: {self._first_place} has no column {', '.join(sorted(unknown))[:200]}; remove it")
        indexes = {name: index for index, name in enumerate(found)}
        missing = [name for name in names if name not in indexes]
        if missing and self.columns.names is None:
            raise DataError(
                f"{place}: there is no column {', '.join(missing)[:200]}, but {self._first_place} has it; add it"
            )
        return [indexes.get(name) for name in names]

    def check_width(self, place: str, width: int, hint: str = "") -> None:
        """Compare the number of columns of a row with that of the first row, or of the data contract.

        Raises:
            DataError: If they differ, or there is no feature; the message ends with ``hint``.
        """
        if not self.width:
            if width < 2:
                raise DataError(f"{place}: only one column; a label and at least one feature are needed{hint}")
            self.width, self._first_place = width, place
        elif width != self.width:
            raise DataError(f"{place}: {width} columns, but {self._first_place} has {self.width}{hint}")

    def name_of(self, index: int) -> str:
        """The position of a column in messages, with its name if it has one."""
        return f"column {index + 1}" + (f" ({self.names[index]})" if self.names is not None else "")
