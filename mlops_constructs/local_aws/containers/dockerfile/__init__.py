"""Reads a Dockerfile, with the grammar and the refusals of BuildKit.

- ``lexer``: quotes, escapes and variables in a text.
- ``words``: the words of instructions.
- ``heredocs``: texts within the Dockerfile.
- ``rules``: which flags and arguments each instruction needs.
- ``reader``: the instructions of a whole file.

Only reading: what is read is BuildKit's word for word, and nothing is expanded until a caller does so.
"""

from __future__ import annotations

from .heredocs import Heredoc, announced
from .lexer import WordError
from .reader import DockerfileError, Instruction, parse_dockerfile
from .words import arg_pairs, env_pairs, expand, plain_words, split_words

__all__ = [
    "DockerfileError",
    "Heredoc",
    "Instruction",
    "WordError",
    "announced",
    "arg_pairs",
    "env_pairs",
    "expand",
    "parse_dockerfile",
    "plain_words",
    "split_words",
]
