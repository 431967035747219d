"""The commands of a `RUN` instruction: which of them can be executed on this machine, and which cannot."""

from __future__ import annotations

import re
import shlex
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlops_constructs.local_aws.containers.dockerfile import announced

if TYPE_CHECKING:
    from mlops_constructs.local_aws.containers.dockerfile import Instruction

# They change an operating system that is not there, or users that this machine has not.
_SYSTEM_PROGRAMS = frozenset(
    (
        *("apt", "apt-get", "apt-key", "add-apt-repository", "dpkg", "apk", "yum", "dnf", "microdnf", "rpm", "zypper"),
        *("conda", "mamba", "micromamba", "useradd", "adduser", "usermod", "groupadd", "addgroup", "chown", "chgrp"),
        *("systemctl", "service", "ldconfig", "update-alternatives", "locale-gen", "update-ca-certificates"),
    )
)
_INSTALLERS = frozenset(("apt", "apt-get", "apk", "yum", "dnf", "microdnf", "zypper", "conda", "mamba", "micromamba"))
_PIP = re.compile(r"(?:^|[\s/;&|(])pip[\d.]*\s(?:[^;&|]*\s)?install\s")
# What is started of a package that has another name.
_PROGRAMS = ((re.compile(r"openjdk|default-j[rd]k|java"), "java"), (re.compile(r"r-base|r-cran"), "Rscript"))
_VENV = re.compile(r"(?:\S*/)?python[\d.]*\s+-m\s+venv\s|(?:\S*/)?virtualenv\s")
# Its lines are no commands.
_HEREDOC = re.compile(r"<<-?\s*['\"\\\\]?\w")
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")
_PACKAGE = re.compile(r"[A-Za-z0-9][\w.+-]*$")


@dataclass(frozen=True, slots=True)
class Command:
    """One command, up to the next `&&`, `;` or line end.

    Attributes:
        text: As it is written.
        words: Its words, without variables in front; empty where a shell's syntax is more than words.
        is_pip: Whether it installs Python packages with pip.
        is_possible: Whether it can be executed here; not if it needs another operating system.
        packages: What it would install with the operating system's package manager.
    """

    text: str
    words: tuple[str, ...]
    is_pip: bool
    is_possible: bool
    packages: tuple[str, ...] = ()

    @property
    def virtual_environment(self) -> str | None:
        """The folder of the virtual environment that it creates; None when it creates none."""
        match = _VENV.match(self.text)
        return self.words[-1] if match and not self.words[-1].startswith("-") else None

    @property
    def is_locked(self) -> bool:
        """Whether it installs packages by their hashes, which are those of one version of Python."""
        return self.is_pip and "--require-hashes" in self.words

    @property
    def summary(self) -> str:
        """Its text on a line of at most 80 characters."""
        return summary(self.text)

    @property
    def reason(self) -> str:
        """Why it is not possible."""
        if not self.packages:
            return f"{self.summary}: not executed, because it changes an operating system that is not used here"
        programs = {package: _program(package) for package in self.packages}
        there = sorted({program for program in programs.values() if shutil.which(program)})
        missing = sorted(package for package, program in programs.items() if program not in there)
        parts = [f"on this machine: {', '.join(there)}"] if there else []
        parts += [f"maybe missing: {', '.join(missing)}"] if missing else []
        return f"{self.summary}: not installed ({'; '.join(parts)})"


def summary(text: str) -> str:
    """A text on one line of at most 80 characters."""
    line = " ".join(text.split())
    return line if len(line) <= 80 else f"{line[:77]}..."


def script_of(run: Instruction) -> str:
    """The script of a `RUN` instruction, in each of its forms."""
    if run.words is not None:
        return shlex.join(run.words)
    if not run.heredocs:
        return run.value
    if len(run.heredocs) == 1 and announced(run.value) is not None:
        content, name = run.heredocs[0].content, run.heredocs[0].name
        if not content.startswith("#!"):
            return content
        # A program of its own, whatever its language is.
        file = "/tmp/local-aws-heredoc"
        return f"cat > {file} <<'{name}'\n{content}{name}\nchmod 755 {file} && {file}"
    # A command that reads the texts: the shell sees both.
    return "\n".join([run.value, *(f"{one.content}{one.name}" for one in run.heredocs)])


def commands_of(text: str) -> list[Command]:
    """Split a script at `&&`, `;` and line ends that are not quoted or in brackets; one with a heredoc is not split."""
    if _HEREDOC.search(text):
        return [_command(text)]
    return [_command(part) for part in _split(text.replace("\\\n", " ")) if part]


def _split(text: str) -> list[str]:
    parts, current, quote, depth, index = [], "", "", 0, 0
    while index < len(text):
        character = text[index]
        if character == "\\" and quote != "'":
            current, index = current + text[index : index + 2], index + 2
            continue
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        elif character in "({":
            depth += 1
        elif character in ")}":
            depth -= 1
        elif depth <= 0 and (text.startswith("&&", index) or character in ";\n"):
            parts.append(current.strip())
            current, index = "", index + (2 if character == "&" else 1)
            continue
        current, index = current + character, index + 1
    return _whole([*parts, current.strip()])


def _whole(parts: list[str]) -> list[str]:
    """Put a compound command (`if`, `for`, `case`) together again."""
    whole: list[str] = []
    closing: list[str] = []
    for part in parts:
        first = part.split(maxsplit=1)[0] if part else ""
        last = part.split()[-1] if part else ""
        if closing:
            whole[-1] += f"; {part}" if not whole[-1].endswith((" do", " then", " else")) else f" {part}"
        else:
            whole.append(part)
        ends = {"if": "fi", "for": "done", "while": "done", "until": "done", "case": "esac"}
        if first in ends:
            closing.append(ends[first])
        if closing and closing[-1] in (first, last):
            closing.pop()
    return whole


def _command(text: str) -> Command:
    try:
        words = shlex.split(text, comments=True)
    except ValueError:
        words = []
    while words and (_ASSIGNMENT.match(words[0]) or words[0] in ("sudo", "env", "exec", "time")):
        words = words[1:]
    names = {re.sub(r".*/", "", word) for word in _first_words(text)}
    impossible = bool(names & _SYSTEM_PROGRAMS)
    packages = tuple(_packages(words)) if words and re.sub(r".*/", "", words[0]) in _INSTALLERS else ()
    return Command(text, tuple(words), _PIP.search(text) is not None, not impossible, packages)


def _first_words(text: str) -> list[str]:
    """The program of each command of a pipeline or a compound command."""
    parts = re.split(r"\|\|?|&&|;|\bthen\b|\bdo\b|\belse\b|\(|\{|\bsudo\b", text)
    found = []
    for part in parts:
        words = [word for word in part.split() if not _ASSIGNMENT.match(word)]
        found += words[:1]
    return found


def _program(package: str) -> str:
    return next((name for form, name in _PROGRAMS if form.match(package)), package)


def _packages(words: list[str]) -> list[str]:
    if "install" not in words and "add" not in words:
        return []
    start = next(index for index, word in enumerate(words) if word in ("install", "add")) + 1
    return [re.split(r"[=<>]", word)[0] for word in words[start:] if _PACKAGE.match(re.split(r"[=<>]", word)[0])]
