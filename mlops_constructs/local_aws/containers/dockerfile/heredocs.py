"""Heredocs: texts within a Dockerfile, announced by `<<NAME` in RUN, COPY and ADD."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mlops_constructs.local_aws.containers.dockerfile.lexer import SPACES, Lexer, Piece, WordError

_ANNOUNCEMENT = re.compile(r"[0-9]*<<(-?)[\t\n\f\r ]*([^<]*)")


@dataclass(frozen=True, slots=True)
class Heredoc:
    """One text.

    Attributes:
        name: The word that announces and ends it, without quotes.
        content: Its lines; after `<<-` without their leading tabs.
        expand: Whether COPY and ADD replace variables in it: no part of the name is quoted. RUN leaves that to the
            shell.
        strips_tabs: Whether `<<-` announces it.
    """

    name: str
    content: str
    expand: bool
    strips_tabs: bool

    def stripped(self, line: str) -> str:
        """A line as it counts."""
        return line.lstrip("\t") if self.strips_tabs else line


def announced(word: str) -> Heredoc | None:
    """The heredoc that a word announces, still empty; None for another word."""
    match = _ANNOUNCEMENT.fullmatch(word)
    if match is None:
        return None
    lexer = Lexer(match[2], None, "\\")
    names = _words(lexer)
    return Heredoc(names[0], "", not lexer.quoted, strips_tabs=match[1] == "-") if len(names) == 1 else None


def announced_in(command: str) -> list[Heredoc]:
    """The heredocs that a command announces; none when a quote or a brace in it is not closed."""
    words = _words(Lexer(command, None, "\\", raw=True)) if "<<" in command else []
    found = map(announced, words)
    return [heredoc for heredoc in found if heredoc is not None]


def _words(lexer: Lexer) -> list[str]:
    try:
        pieces: list[Piece] = lexer.pieces()
    except WordError:
        return []
    words = [""]
    for text, separates in pieces:
        for char in text:
            if separates and char in SPACES:
                words.append("")
            else:
                words[-1] += char
    return [word for word in words if word]
