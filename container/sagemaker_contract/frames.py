"""Records with named columns of numbers and of text, for algorithms that need more than a matrix of numbers."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np

from sagemaker_contract.acceleration import FOLDER
from sagemaker_contract.cells import is_number
from sagemaker_contract.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    Cells = NDArray[np.object_]

NUMBER, TEXT = "number", "text"
_FILE = "columns.json"
_SAMPLE_ROWS = 16
_WORDS = {"true": 1.0, "false": 0.0, **dict.fromkeys(("", "na", "n/a", "nan", "null", "none"), math.nan)}


@dataclass(frozen=True)
class Field:
    """A column of a frame: its name, and whether it has numbers or text."""

    name: str
    kind: str


@dataclass(frozen=True, eq=False)
class Frame:
    """Rows of typed columns: the data of a channel, or the records of requests, which have no labels.

    A missing number is NaN, a missing text is empty.

    Attributes:
        fields: The columns, without the label.
        cells: Rows x columns: ``float`` in columns of numbers, ``str`` in columns of text.
        labels: One text per row, or one number; empty for records of requests.
        channel: Name of the channel.
    """

    fields: tuple[Field, ...]
    cells: Cells
    labels: NDArray[Any]
    channel: str = ""

    @classmethod
    def of_records(cls, fields: tuple[Field, ...], cells: Cells) -> Frame:
        """Records without labels."""
        return cls(fields, cells, np.empty(0))

    def __len__(self) -> int:
        return len(self.cells)

    @property
    def width(self) -> int:
        """Number of columns, without the label."""
        return len(self.fields)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns."""
        return tuple(field.name for field in self.fields)

    @property
    def has_numbers(self) -> bool:
        """Whether the labels are numbers to predict, and not the names of classes."""
        return self.labels.dtype.kind == "f"

    def column(self, name: str) -> NDArray[Any]:
        """The cells of a column: 64-bit numbers, or an array of ``str``."""
        index = self.names.index(name)
        cells: NDArray[Any] = self.cells[:, index]
        return cells.astype(np.float64) if self.fields[index].kind == NUMBER else cells

    def numbers(self) -> NDArray[np.float64]:
        """All columns of numbers, as rows x columns."""
        chosen = [index for index, field in enumerate(self.fields) if field.kind == NUMBER]
        return self.cells[:, chosen].astype(np.float64)

    def rows(self, chosen: NDArray[np.bool_], channel: str) -> Frame:
        """The rows where ``chosen`` is true, as a frame with the name ``channel``."""
        return Frame(self.fields, self.cells[chosen], self.labels[chosen], channel)

    def to_pandas(self) -> Any:
        """A pandas data frame with the same columns; pandas must be in requirements.txt."""
        import pandas

        return pandas.DataFrame({name: self.column(name) for name in self.names})


def number_of(cell: Any) -> float | None:
    """A cell as a number, NaN if it is missing; ``None`` if it is no finite number. True and false are 1 and 0."""
    if cell is None:
        return math.nan
    if isinstance(cell, str):
        text = cell.strip()
        if (word := _WORDS.get(text.lower())) is not None:
            return word
        number = float(text) if is_number(text) else math.inf
        return number if math.isfinite(number) else None
    if not isinstance(cell, (int, float, Decimal)):
        return None
    try:
        number = float(cell)
    except (OverflowError, ValueError):
        return None
    # NaN is how pandas stores a missing number.
    return None if math.isinf(number) else number


def text_of(cell: Any) -> str | None:
    """A cell as text, empty if it is missing; ``None`` if it is a list or an object."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return str(cell) if isinstance(cell, (str, int, float, Decimal)) else None


def to_cells(rows: Sequence[Sequence[Any]], width: int) -> Cells:
    """The rows as an array of objects."""
    cells = np.empty((len(rows), width), dtype=object)
    for index, row in enumerate(rows):
        cells[index] = row
    return cells


def write_fields(directory: Path, frame: Frame) -> None:
    """Write the columns beside the model, with a few records with which ``serve`` warms up."""
    folder = directory / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    sample = [[None if cell != cell else cell for cell in row] for row in frame.cells[:_SAMPLE_ROWS].tolist()]
    content = {"fields": [asdict(field) for field in frame.fields], "records": sample}
    (folder / _FILE).write_text(json.dumps(content), encoding="utf-8")


def read_fields(directory: Path) -> Frame | None:
    """A few records with the columns of the model; ``None`` for a model of a matrix of numbers.

    Raises:
        ModelError: If the file exists and is not in the form that ``train`` writes.
    """
    path = directory / FOLDER / _FILE
    if not path.is_file():
        return None
    try:
        content = json.loads(path.read_bytes())
        fields = tuple(Field(str(one["name"]), str(one["kind"])) for one in content["fields"])
        rows = [[math.nan if cell is None else cell for cell in row] for row in content["records"]]
        return Frame.of_records(fields, to_cells(rows, len(fields)))
    except (ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{FOLDER}/{_FILE} of the model is corrupt: {error}") from error
