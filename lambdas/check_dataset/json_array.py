"""The records of a JSON array, one after the other in bounded memory."""

from __future__ import annotations

import codecs
import json
import re
from typing import TYPE_CHECKING, Any

from check_dataset.content import MAX_LINE_BYTES
from handler_kit.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from check_dataset.content import Content

MAX_RECORD_CHARACTERS = MAX_LINE_BYTES
_BLANK = re.compile(r"[ \t\n\r]*")


class JsonArray:
    """The list that a file contains."""

    def __init__(self, content: Content) -> None:
        self._content, self._pieces = content, content.pieces()
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")()
        self._text, self._at, self._number, self._ended, self._broken = "", 0, 0, False, False

    def is_table(self) -> bool:
        """Whether the file begins as a list of lists or objects; another JSON document is no table."""
        if self._next() != "[":
            return False
        self._at += 1
        return self._next() in ("[", "{", "]")

    def records(self) -> Iterator[tuple[int, Any]]:
        """The number of each record, and its value, after ``is_table``.

        Raises ConfigurationError that names the record.
        """
        if self._next() == "]":
            self._end()
            return
        while True:
            self._number += 1
            value = self._value()
            if value is None:
                return
            yield self._number, value
            character = self._next()
            if character == "]":
                self._end()
                return
            if character != ",":
                if not character and self._content.truncated:
                    return
                raise self._wrong("',' or ']' must follow it")
            self._at += 1

    def _value(self) -> Any:
        """The list or object that begins here; ``None`` when the budget ends in it."""
        character = self._next()
        while True:
            try:
                value, end = json.JSONDecoder().raw_decode(self._text, self._at)
            except json.JSONDecodeError as error:
                if len(self._text) - self._at <= MAX_RECORD_CHARACTERS and self._more():
                    continue
                if self._content.truncated:
                    return None
                raise self._wrong(
                    f"not JSON ({error.msg}), or of more than {MAX_RECORD_CHARACTERS} characters"
                ) from None
            except (ValueError, RecursionError) as error:
                raise self._wrong(f"not JSON ({error})") from None
            if character not in ("[", "{"):
                raise self._wrong("must be a JSON object or list")
            if end - self._at > MAX_RECORD_CHARACTERS:
                raise self._wrong(f"longer than {MAX_RECORD_CHARACTERS} characters")
            self._at = end
            return value

    def _end(self) -> None:
        self._at += 1
        if self._next():
            raise self._wrong("there is something after the list")

    def _next(self) -> str:
        """The next character that is not blank; empty at the end."""
        while True:
            self._at = _BLANK.match(self._text, self._at).end()  # type: ignore[union-attr]
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                return ""

    def _more(self) -> bool:
        """Read on; false at the end."""
        if self._broken:
            raise self._wrong("a byte that is not UTF-8; save the file as UTF-8")
        if self._ended:
            return False
        piece = next(self._pieces, None)
        self._ended = piece is None
        try:
            # Where the budget ends within a character, that is no fault.
            text = self._decoder.decode(piece or b"", final=self._ended and not self._content.truncated)
        except UnicodeDecodeError as error:
            # What is before it is read first, so that the message names the right record.
            text, self._broken = error.object[: error.start].decode(), True
        self._text, self._at = self._text[self._at :] + text, 0
        return self._broken or not self._ended or bool(text)

    def _wrong(self, problem: str) -> ConfigurationError:
        return ConfigurationError(f"{self._content.place}, record {max(self._number, 1)}: {problem}")
