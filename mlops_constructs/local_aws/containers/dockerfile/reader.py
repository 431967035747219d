"""The instructions of a Dockerfile."""

from __future__ import annotations

import io
import json
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mlops_constructs.local_aws.containers.dockerfile.heredocs import Heredoc, announced_in
from mlops_constructs.local_aws.containers.dockerfile.lexer import SPACES, WordError
from mlops_constructs.local_aws.containers.dockerfile.rules import FLAGS, check_arguments, checked_flags
from mlops_constructs.local_aws.containers.dockerfile.words import first_and_rest, plain_words, split_flags
from mlops_constructs.local_aws.containers.images import ContainerError

if TYPE_CHECKING:
    from collections.abc import Iterator

_JSON_FORM = ("ADD", "CMD", "COPY", "ENTRYPOINT", "HEALTHCHECK", "RUN", "SHELL", "VOLUME")
_HEREDOCS = ("ADD", "COPY", "RUN")
_DIRECTIVE = re.compile(r"#\s*([a-z][a-z0-9]*)\s*=\s*(.+?)\s*", re.ASCII | re.IGNORECASE)
_DIRECTIVES = ("check", "escape", "syntax")
_MAX_LINE_BYTES = 65_535


class DockerfileError(ContainerError):
    """A Dockerfile that BuildKit refuses to read."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"Dockerfile line {line}: {reason}")
        self.line = line
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction.

    Attributes:
        line: Where it starts; the first line is 1.
        keyword: In upper case.
        flags: `{"from": "build"}` of `--from=build`. A flag without a value has "" here; the values of a repeated flag
            (`--mount`) have a line each.
        value: The text after the keyword and the flags, without line continuations and the comments among them.
        words: The JSON (exec) form; None in every other form. Of HEALTHCHECK, the form of its command.
        heredocs: In the order of the words that announce them.
        original: The whole instruction on one line, without the heredocs.
        escape: The Dockerfile's escape character.
        trigger: What ONBUILD postpones. It is checked like any other, which Docker does in the image on top only.
    """

    line: int
    keyword: str
    flags: dict[str, str]
    value: str
    words: tuple[str, ...] | None
    heredocs: tuple[Heredoc, ...]
    original: str
    escape: str
    trigger: Instruction | None

    @property
    def arguments(self) -> tuple[str, ...]:
        """The arguments of FROM, COPY, ADD, VOLUME and EXPOSE, in either form: `expand` each."""
        return plain_words(self.value) if self.words is None else self.words


def parse_dockerfile(text: str) -> list[Instruction]:
    """Read a Dockerfile. Raises `DockerfileError`."""
    instructions = list(_Reader(text).instructions())
    if not instructions:
        raise DockerfileError(1, "the file has no instructions")
    first = next((instruction for instruction in instructions if instruction.keyword != "ARG"), instructions[-1])
    if first.keyword != "FROM":
        raise DockerfileError(first.line, "FROM must be the first instruction; only ARG may come before it")
    return instructions


class _Reader:
    """Reads the lines of a Dockerfile from the first to the last."""

    def __init__(self, text: str) -> None:
        self._lines = io.StringIO(text.removeprefix("\ufeff"))
        self._line = 0
        self._escape = "\\"
        self._directives: set[str] = set()
        self._may_be_directive = True

    def instructions(self) -> Iterator[Instruction]:
        """Each instruction with its continuation lines and its heredocs."""
        while line := self._next():
            line = line.rstrip("\r\n").lstrip(SPACES)
            self._read_directive(line)
            if line and not line.startswith("#"):
                start = self._line
                instruction = _instruction(start, self._with_continuations(line), self._escape)
                yield replace(instruction, heredocs=tuple(self._heredocs(instruction)))

    def _next(self) -> str:
        line = self._lines.readline()
        self._line += 1
        if len(line.rstrip("\n").encode(errors="replace")) > _MAX_LINE_BYTES:
            raise DockerfileError(self._line, f"the line is longer than {_MAX_LINE_BYTES} bytes")
        return line

    def _read_directive(self, line: str) -> None:
        """Read `# escape=` and its likes, which count only before the first line that is none of them."""
        match = _DIRECTIVE.fullmatch(line) if self._may_be_directive else None
        name, value = (match[1].lower(), match[2]) if match else ("", "")
        self._may_be_directive = name in _DIRECTIVES
        if not self._may_be_directive:
            return
        if name in self._directives:
            raise DockerfileError(self._line, f"only one {name} parser directive can be used")
        self._directives.add(name)
        if name == "escape":
            if value not in ("\\", "`"):
                raise DockerfileError(self._line, f"the escape character is \\ or `, got {value!r}")
            self._escape = value

    def _with_continuations(self, line: str) -> str:
        mark = re.escape(self._escape)
        end = re.compile(rf"(?:(?<=[^{mark}])|^){mark}[ \t]*\Z")
        whole, continues = end.subn("", line)
        while continues and (line := self._next()):
            line = line.rstrip("\r\n")
            if line.strip(SPACES) and not line.lstrip(SPACES).startswith("#"):
                line, continues = end.subn("", line)
                whole += line
        return whole

    def _heredocs(self, instruction: Instruction) -> Iterator[Heredoc]:
        if (instruction.trigger or instruction).keyword in _HEREDOCS:
            for heredoc in announced_in(instruction.original):
                content = ""
                while (line := heredoc.stripped(self._next())).rstrip("\r\n") != heredoc.name:
                    if not line:
                        raise DockerfileError(instruction.line, f"the heredoc {heredoc.name} is not terminated")
                    content += line
                yield replace(heredoc, content=content)


def _instruction(line: int, text: str, escape: str) -> Instruction:
    name, rest = first_and_rest(text.strip(SPACES))
    keyword = name.upper()
    if keyword not in FLAGS:
        raise DockerfileError(line, f"unknown instruction: {name}")
    words, value = split_flags(rest, escape)
    try:
        flags = checked_flags(keyword, words)
        form = _json_form(keyword, value)
        check_arguments(keyword, value, form, escape)
    except WordError as error:
        raise DockerfileError(line, f"{keyword}: {error}") from error
    trigger = _instruction(line, value, escape) if keyword == "ONBUILD" else None
    return Instruction(line, keyword, flags, value, form, (), text, escape, trigger)


def _json_form(keyword: str, value: str) -> tuple[str, ...] | None:
    array = first_and_rest(value)[1] if keyword == "HEALTHCHECK" else value
    if keyword not in _JSON_FORM or not array.startswith("["):
        return None
    try:
        words = json.loads(array, parse_constant=_refused)
    except (ValueError, RecursionError):
        return None
    if not all(isinstance(word, str) for word in words):
        raise WordError("in the JSON form, everything in the array must be a string")
    # Half of a surrogate pair cannot be encoded; Go replaces it.
    return tuple(word.encode("utf-16", "surrogatepass").decode("utf-16", "replace") for word in words)


def _refused(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")
