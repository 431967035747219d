"""Quotes, escapes and variables in a word of a Dockerfile, as BuildKit's shell lexer reads them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mlops_constructs.local_aws.containers.images import ContainerError

if TYPE_CHECKING:
    from collections.abc import Mapping

# White space in Go. Python's `isspace` also accepts U+001C to U+001F.
SPACES = "\t\n\v\f\r \x85\xa0\u1680" + "".join(map(chr, range(0x2000, 0x200B))) + "\u2028\u2029\u202f\u205f\u3000"
_NAME = re.compile(r"\d+|[@*#?$!-]|\w*")
_REDIRECTION = re.compile(r"<<[\t\r ]*|<")
_MODIFIERS = ("-", "+", "?", "#", "%", ":-", ":+", ":?")
_WILDCARDS = {"*": ".*", "?": "."}

# A piece of text, and whether white space in it separates words.
Piece = tuple[str, bool]


class WordError(ContainerError):
    """A word of a Dockerfile that BuildKit refuses: a quote that is not closed, or a wrong substitution."""


def joined(pieces: list[Piece]) -> str:
    """The text of pieces."""
    return "".join(text for text, _ in pieces)


class Lexer:
    """Reads a text from left to right.

    Without variables (None) the references to them stay as written. `raw` keeps quotes and escapes as well.
    `quoted` tells afterwards whether there were quotes.
    """

    def __init__(
        self, text: str, variables: Mapping[str, str] | None, escape: str, *, quotes: bool = True, raw: bool = False
    ) -> None:
        self._text = text
        self._at = 0
        self._variables = variables
        self._escape = escape
        self._quotes = "'\"" if quotes else ""
        self._raw_quotes = self._raw_escapes = raw
        self.quoted = False

    def pieces(self, stop: str = "") -> list[Piece]:
        """Read up to a character that is no longer part of the text, or to the end."""
        pieces: list[Piece] = []
        while (char := self._peek()) != stop:
            if not char:
                raise WordError(f"syntax error: missing {stop!r}")
            if char == "$":
                pieces.append((self._variable(), True))
            elif char == "<":
                pieces.append((self._match(_REDIRECTION), False))
            elif char in self._quotes:
                pieces.append((self._quotation(), False))
            elif char == self._escape:
                pieces.append((self._escaped(), False))
            else:
                pieces.append((self._next(), True))
        self._next()
        return pieces

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _next(self) -> str:
        char = self._peek()
        self._at += 1
        return char

    def _match(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self._text, self._at)
        assert match is not None
        self._at = match.end()
        return match[0]

    def _nested(self, stop: str, *, raw_escapes: bool) -> str:
        before, self._raw_escapes = self._raw_escapes, raw_escapes
        text = joined(self.pieces(stop))
        self._raw_escapes = before
        return text

    def _escaped(self) -> str:
        mark = self._next()
        return (mark if self._raw_escapes else "") + self._next()

    def _quotation(self) -> str:
        self.quoted = True
        quote = self._next()
        content = ""
        while (char := self._peek()) != quote:
            if not char:
                raise WordError(f"unexpected end of statement while looking for the matching {quote}")
            if quote == "'":
                content += self._next()
            else:
                content += self._variable() if char == "$" else self._in_double_quotes()
        self._next()
        return f"{quote}{content}{quote}" if self._raw_quotes else content

    def _in_double_quotes(self) -> str:
        if self._peek() == self._escape and self._text[self._at + 1 : self._at + 2] in ("", '"', "$", self._escape):
            return self._escaped()
        return self._next()

    def _variable(self) -> str:
        self._next()
        if self._peek() == "{":
            self._next()
            return self._substitution()
        name = self._match(_NAME)
        return self._value(name, f"${name}") if name else "$"

    def _value(self, name: str, written: str) -> str:
        return written if self._variables is None else self._variables.get(name, "")

    def _substitution(self) -> str:
        if self._peek() in ("", "{", "}", ":"):
            raise WordError("syntax error: bad substitution")
        name, operator = self._match(_NAME), self._next()
        if operator == "}":
            return self._value(name, f"${{{name}}}")
        if operator == "/":
            return self._replaced(name)
        if operator == ":":
            operator += self._next()
        if not operator:
            raise WordError("syntax error: missing '}'")
        if operator not in _MODIFIERS and not (self._variables is None and operator[:1] == ":"):
            raise WordError(f"unsupported modifier ({operator}) in substitution")
        word = self._nested("}", raw_escapes=operator in ("#", "%"))
        if self._variables is None:
            return f"${{{name}{operator}{word}}}"
        return _modified(name, self._variables.get(name), operator, word)

    def _replaced(self, name: str) -> str:
        every = self._peek() == "/"
        if every:
            self._next()
        pattern, replacement = self._nested("/", raw_escapes=True), self._nested("}", raw_escapes=True)
        value = self._value(name, f"${{{name}/{pattern}/{replacement}}}")
        if self._variables is None:
            return value
        return _wildcards(pattern).sub(lambda _: replacement, value, count=0 if every else 1)


def _modified(name: str, value: str | None, operator: str, word: str) -> str:
    """The result of `${name:-word}` and its likes; after a colon an empty value is as good as none."""
    given = None if value == "" and operator[0] == ":" else value
    match operator[-1]:
        case "-":
            return word if given is None else given
        case "+":
            return "" if given is None else word
        case "?":
            if given is None:
                raise WordError(f"{name}: {word or 'is not allowed to be ' + ('unset' if value is None else 'empty')}")
            return given
    return _trimmed(value or "", word, operator)


def _trimmed(value: str, pattern: str, end: str) -> str:
    """A value without the shortest start (`#`) or end (`%`) that matches a pattern; `##` and `%%`: the longest."""
    longest = pattern.startswith(end)
    wildcards = _wildcards(pattern[1:] if longest else pattern)
    lengths = range(len(value) + 1)
    for length in reversed(lengths) if longest else lengths:
        at = length if end == "#" else len(value) - length
        removed, kept = (value[:at], value[at:]) if end == "#" else (value[at:], value[:at])
        if wildcards.fullmatch(removed):
            return kept
    return value


def _wildcards(pattern: str) -> re.Pattern[str]:
    parts = []
    for token in re.findall(r"\\.?|.", pattern, re.DOTALL):
        if token[0] == "\\" and token[1:] not in ("}", "/", "*", "?", "\\"):
            raise WordError(f"invalid escape '{token}' in the pattern {pattern!r} of a substitution")
        parts.append(_WILDCARDS.get(token) or re.escape(token[-1]))
    return re.compile("".join(parts))
