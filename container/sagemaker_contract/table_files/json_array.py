"""A JSON array: one list with a list or an object for each record, read in bounded memory."""

from __future__ import annotations

import codecs
import json
import re
from typing import TYPE_CHECKING, Any

from sagemaker_contract.errors import DataError
from sagemaker_contract.table_files.json_lines import arranged
from sagemaker_contract.table_files.lines import MAX_LINE_BYTES, read_pieces

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sagemaker_contract.columns import Layout

MAX_RECORD_CHARACTERS = MAX_LINE_BYTES
_BLANK = re.compile(r"[ \t\n\r]*")


def read_json_array(file: Path, layout: Layout) -> Iterator[tuple[str, list[Any]]]:
    """Every record; the cells of an object are in the order of the layout, whatever its own order.

    Raises:
        DataError: For a file that is not a JSON list, and a record that has other columns.
    """
    return arranged(_Array(file).records(), layout, "record")


class _Array:
    def __init__(self, file: Path) -> None:
        self._name, self._pieces = file.name, read_pieces(file)
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")()
        self._text, self._at, self._number, self._ended, self._broken = "", 0, 1, False, False

    def records(self) -> Iterator[tuple[str, Any]]:
        if self._next() != "[":
            raise DataError(
                f"{self._name}: JSON is read as a list of records; with pandas, write it with orient='records'"
            )
        self._at += 1
        character = self._next()
        while character != "]":
            value = self._value()
            yield f"{self._name} record {self._number}", value
            character = self._next()
            if character == ",":
                self._at += 1
                self._number += 1
                # A value must follow, not the end.
                character = ""
            elif character != "]":
                raise self._wrong("',' or ']' must follow it")
        self._at += 1
        if self._next():
            raise self._wrong("there is something after the list")

    def _value(self) -> Any:
        character = self._next()
        while True:
            try:
                value, end = json.JSONDecoder().raw_decode(self._text, self._at)
            except json.JSONDecodeError as error:
                if len(self._text) - self._at <= MAX_RECORD_CHARACTERS and self._more():
                    continue
                raise self._wrong(f"not JSON ({error.msg}), or too long") from None
            except (ValueError, RecursionError) as error:
                raise self._wrong(f"not JSON ({error})") from None
            if character not in ("[", "{"):
                raise self._wrong("neither a JSON list nor an object")
            if end - self._at > MAX_RECORD_CHARACTERS:
                raise self._wrong(f"longer than {MAX_RECORD_CHARACTERS} characters")
            self._at = end
            return value

    def _next(self) -> str:
        """The next character that is not blank; empty at the end."""
        while True:
            blank = _BLANK.match(self._text, self._at)
            self._at = blank.end() if blank else self._at
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                return ""

    def _more(self) -> bool:
        if self._broken:
            raise self._wrong("a byte that is not UTF-8; save the file as UTF-8")
        if self._ended:
            return False
        piece = next(self._pieces, None)
        self._ended = piece is None
        try:
            text = self._decoder.decode(piece or b"", final=self._ended)
        except UnicodeDecodeError as error:
            # What is before it is read first, so that the message names the right record.
            text, self._broken = error.object[: error.start].decode(), True
        self._text, self._at = self._text[self._at :] + text, 0
        return self._broken or not self._ended or bool(text)

    def _wrong(self, problem: str) -> DataError:
        return DataError(f"{self._name} record {self._number}: {problem}")
