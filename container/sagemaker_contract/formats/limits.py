"""How much a body may decode to. A few bytes of a compressed file, or one long line, can claim all memory."""

from __future__ import annotations

from dataclasses import dataclass

from sagemaker_contract.errors import InputError

_DEFAULT_BODY_BYTES = 6 * 1024 * 1024
# Shorter records are rare, and the predictions for more records take more memory than the records.
_BYTES_PER_RECORD = 6


@dataclass(frozen=True)
class Limits:
    """The limits of the records in one body, by default for a maximum body size of 6 MB.

    Attributes:
        columns: The number of values in a record, or ``None`` if it is unknown.
        values: Maximum number of values in all records.
        records: Maximum number of records.
    """

    columns: int | None = None
    values: int = _DEFAULT_BODY_BYTES
    records: int = _DEFAULT_BODY_BYTES // _BYTES_PER_RECORD

    @classmethod
    def of(cls, maximum_body_bytes: int, columns: int | None) -> Limits:
        """As many values as the largest body has bytes: no CSV or JSON has more."""
        return cls(columns, maximum_body_bytes, maximum_body_bytes // _BYTES_PER_RECORD)

    def check(self, records: int, columns: int) -> None:
        """Check a size, if possible before the records are decoded.

        Raises:
            InputError: If the model needs another number of columns, or there are too many records or values.
        """
        if self.columns is not None and columns != self.columns:
            raise InputError(f"each record needs {self.columns} values, got {columns}")
        if records > self.records:
            raise InputError(f"a request may have {self.records} records, got {records}")
        if records * columns > self.values:
            raise InputError(f"a request may have {self.values} values, got {records} x {columns}")


DEFAULT = Limits()
