"""The words of instructions. Each function leaves them as written; `expand` turns one into its value."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mlops_constructs.local_aws.containers.dockerfile.lexer import SPACES, Lexer, WordError, joined

if TYPE_CHECKING:
    from collections.abc import Mapping

_SEPARATORS = re.compile(r"[\t\v\f\r ]+")


def expand(text: str, variables: Mapping[str, str], escape: str = "\\", *, quotes: bool = True) -> str:
    """Replace the variables of one word, and remove its quotes and escapes. Raises `WordError`.

    Args:
        text: The word; white space in it stays.
        variables: What `ARG` and `ENV` have set so far; a variable that is not set becomes empty.
        escape: The escape character of the Dockerfile.
        quotes: False for the content of a heredoc, in which a quote is an ordinary character.
    """
    return joined(Lexer(text, variables, escape, quotes=quotes).pieces())


def first_and_rest(text: str) -> tuple[str, str]:
    """The first word, and what follows; empty when nothing does."""
    first, *rest = _SEPARATORS.split(text, maxsplit=1)
    return first, rest[0] if rest else ""


def plain_words(value: str) -> tuple[str, ...]:
    """Split at white space, quoted or not: FROM, COPY, ADD, VOLUME and EXPOSE know no quotes around several words."""
    return tuple(word for word in _SEPARATORS.split(value) if word)


def split_words(value: str, escape: str = "\\") -> list[str]:
    """Split at white space that is neither quoted nor escaped, as ENV, LABEL and ARG do. Quotes and escapes stay."""
    mark = re.escape(escape)
    word = rf"""(?:[^{SPACES}'"{mark}]|{mark}.|'[^']*(?:'|\Z)|"(?:[^"{mark}]|{mark}.)*(?:"|(?={mark}?\Z)))+"""
    return re.findall(word, value, re.DOTALL)


def split_flags(text: str, escape: str = "\\") -> tuple[list[str], str]:
    """The flags at the start of a text, without quotes and escapes, and what follows them; `--` ends the flags."""
    mark = re.escape(escape)
    part = rf"""{mark}(.?)|'((?:[^'{mark}]|{mark}.)*)'?|"((?:[^"{mark}]|{mark}.)*)"?|[^{SPACES}]"""
    flags: list[str] = []
    while (text := text.lstrip(SPACES)).startswith("--"):
        word = re.match(rf"(?:{part})*", text, re.DOTALL)
        assert word is not None
        text = text[word.end() :]
        parts = (match[match.lastindex or 0] for match in re.finditer(part, word[0], re.DOTALL))
        flag = "".join(re.sub(f"{mark}(.)", r"\1", part, flags=re.DOTALL) for part in parts)
        if flag == "--":
            break
        flags.append(flag)
    return flags, text.strip(SPACES)


def env_pairs(value: str, escape: str = "\\") -> list[tuple[str, str]]:
    """Names and values of ENV and LABEL: `expand` both. Raises `WordError`.

    There are two forms: `a=b c="d e"`, and `a b c`, which sets `a` to `b c`.
    """
    words = split_words(value, escape)
    if words and "=" not in words[0]:
        name, content = first_and_rest(value)
        if not content:
            raise WordError("requires a name and a value")
        return [(name, content)]
    pairs = []
    for word in words:
        name, equals, content = word.partition("=")
        if not equals:
            raise WordError(f"requires name=value, got {word!r}")
        pairs.append((_not_blank(name), content))
    return pairs


def arg_pairs(value: str, escape: str = "\\") -> list[tuple[str, str | None]]:
    """Names and defaults of ARG: `expand` both. None: no default. Raises `WordError`."""
    pairs = [word.partition("=") for word in split_words(value, escape)]
    return [(_not_blank(name), default if equals else None) for name, equals, default in pairs]


def _not_blank(name: str) -> str:
    if not name:
        raise WordError("requires names that are not blank")
    return name
