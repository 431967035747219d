"""`.dockerignore`: the files of a build context that COPY and ADD do not see."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from mlops_constructs.local_aws.containers.images import ContainerError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_CHAR = r"(?:[^\\\]-]|\\.)"
_TOKEN = re.compile(rf"\*\*/?|\[\^?(?:{_CHAR}(?:-{_CHAR})?)+\]|\\.|[^\\\[]", re.DOTALL)
_WILDCARDS = {"*": "[^/]*", "?": "[^/]", "**": "(?:.*/)?", "**/": "(?:.*/)?"}


def ignored(patterns_text: str) -> Callable[[str], bool]:
    """Make a function that tells whether a path below the build context is ignored, with Docker's rules.

    The last pattern that matches the path or a directory above it decides. It may ignore the Dockerfile and
    `.dockerignore` like any file; the build reads both all the same. Raises `ContainerError` for a malformed pattern.
    """
    rules = list(_rules(patterns_text))

    def is_ignored(path: str) -> bool:
        parts = posixpath.normpath(path).split("/")
        paths = ["/".join(parts[:count]) for count in range(1, len(parts) + 1)]
        answer = False
        for ignores, pattern in rules:
            if any(pattern.fullmatch(path) for path in paths):
                answer = ignores
        return answer and parts != ["."]

    return is_ignored


def _rules(text: str) -> Iterator[tuple[bool, re.Pattern[str]]]:
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), start=1):
        written = line.strip()
        if not written or line.startswith("#"):
            continue
        pattern = written.removeprefix("!").strip()
        expression = _expression(posixpath.normpath(pattern).lstrip("/")) if pattern else None
        if expression is None:
            raise ContainerError(f".dockerignore, line {number}: {written!r} is not a pattern")
        yield not written.startswith("!"), expression


def _expression(pattern: str) -> re.Pattern[str] | None:
    """A pattern as a regular expression; None when it is malformed."""
    tokens = _TOKEN.findall(pattern)
    if "".join(tokens) != pattern:
        return None
    parts = [_WILDCARDS.get(token) or _literal(token) for token in tokens]
    if tokens[-1:] in (["**"], ["**/"]):
        parts[-1] = ".*"
    elif tokens[:1] == ["**"] and all(len(token) == 1 and token not in "*?]" for token in tokens[1:]):
        parts[0] = ".*"  # Docker reads `**.py` as "ends with .py"
    try:
        return re.compile("".join(parts), re.DOTALL)
    except re.error:
        return None


def _literal(token: str) -> str:
    """A character, an escaped character, or a class such as `[^a-z]`."""
    if token[0] != "[":
        return re.escape(token[-1])
    negation, members = ("^", token[2:-1]) if token[1] == "^" else ("", token[1:-1])
    parts = ("-" if part == "-" else re.escape(part[-1]) for part in re.findall(r"\\.|.", members, re.DOTALL))
    return f"[{negation}{''.join(parts)}]"
