"""What each instruction needs: flags and arguments. Each refusal is one of BuildKit's."""

from __future__ import annotations

import re

from mlops_constructs.local_aws.containers.dockerfile.heredocs import announced
from mlops_constructs.local_aws.containers.dockerfile.lexer import SPACES, WordError
from mlops_constructs.local_aws.containers.dockerfile.words import arg_pairs, env_pairs, first_and_rest, plain_words

# Every instruction, and the flags that it may have.
FLAGS: dict[str, tuple[str, ...]] = {
    "ADD": ("checksum", "chmod", "chown", "exclude", "keep-git-dir", "link", "unpack"),
    "ARG": (),
    "CMD": (),
    "COPY": ("chmod", "chown", "exclude", "from", "link", "parents"),
    "ENTRYPOINT": (),
    "ENV": (),
    "EXPOSE": (),
    "FROM": ("platform",),
    "HEALTHCHECK": ("interval", "retries", "start-interval", "start-period", "timeout"),
    "LABEL": (),
    "MAINTAINER": (),
    "ONBUILD": (),
    "RUN": ("device", "mount", "network", "security"),
    "SHELL": (),
    "STOPSIGNAL": (),
    "USER": (),
    "VOLUME": (),
    "WORKDIR": (),
}
_SWITCHES = ("keep-git-dir", "link", "parents", "unpack")
_REPEATABLE = ("device", "exclude", "mount")
_NEED_AN_ARGUMENT = ("ARG", "ENV", "EXPOSE", "HEALTHCHECK", "LABEL", "ONBUILD", "SHELL", "VOLUME")
_TAKE_ONE_ARGUMENT = ("MAINTAINER", "STOPSIGNAL", "USER", "WORKDIR")
_NO_TRIGGERS = ("FROM", "MAINTAINER", "ONBUILD")
_STAGE_NAME = re.compile(r"[a-z][a-z0-9-_.]*")


def checked_flags(keyword: str, flags: list[str]) -> dict[str, str]:
    """An instruction's flags by name. Raises `WordError`."""
    found: dict[str, str] = {}
    for flag in flags:
        name, equals, value = flag[2:].partition("=")
        if name not in FLAGS[keyword]:
            raise WordError(f"unknown flag --{name}")
        if name in found and name not in _REPEATABLE:
            raise WordError(f"duplicate flag --{name}")
        if name in _SWITCHES and equals and value.lower() not in ("true", "false"):
            raise WordError(f"the flag --{name} is true or false, got {value!r}")
        if name not in _SWITCHES and not equals:
            raise WordError(f"the flag --{name} requires a value")
        found[name] = f"{found[name]}\n{value}" if name in found else value
    return found


def check_arguments(keyword: str, value: str, words: tuple[str, ...] | None, escape: str) -> None:
    """Raise `WordError` when an instruction lacks an argument, or has a wrong one."""
    arguments = plain_words(value) if words is None else words
    if keyword in _TAKE_ONE_ARGUMENT and not value:
        raise WordError("requires exactly one argument")
    if keyword in _NEED_AN_ARGUMENT and not arguments:
        raise WordError("requires at least one argument")
    if keyword == "SHELL" and words is None:
        raise WordError("requires the JSON form")
    if keyword == "HEALTHCHECK":
        _check_healthcheck(*first_and_rest(value))
    if keyword in ("ENV", "LABEL"):
        env_pairs(value, escape)
    if keyword == "ARG":
        arg_pairs(value, escape)
    if check := _CHECKS.get(keyword):
        check(arguments)


def _check_copy(arguments: tuple[str, ...]) -> None:
    if len(arguments) < 2:
        raise WordError("requires at least two arguments; the last is the destination")
    if announced(arguments[-1]):
        raise WordError("does not allow a heredoc as the destination")


def _check_from(arguments: tuple[str, ...]) -> None:
    if len(arguments) != 1 and not (len(arguments) == 3 and arguments[1].lower() == "as"):
        raise WordError("requires either one or three arguments: an image, or an image AS a name")
    if len(arguments) == 3 and not _STAGE_NAME.fullmatch(arguments[2].lower()):
        raise WordError(f"a stage's name has letters, digits, - _ and ., a letter first, got {arguments[2]!r}")


def _check_healthcheck(kind: str, command: str) -> None:
    if kind.upper() not in ("CMD", "NONE"):
        raise WordError(f"requires CMD or NONE, got {kind!r}")
    if (kind.upper() == "CMD") != bool(command):
        raise WordError(f"{kind.upper()} {'takes no arguments' if command else 'requires a command'}")


def _check_trigger(arguments: tuple[str, ...]) -> None:
    if arguments[0].upper() in _NO_TRIGGERS:
        raise WordError(f"does not allow {arguments[0].upper()}")


def _check_volumes(arguments: tuple[str, ...]) -> None:
    if not all(path.strip(SPACES) for path in arguments):
        raise WordError("does not allow an empty string")


_CHECKS = {
    "ADD": _check_copy,
    "COPY": _check_copy,
    "FROM": _check_from,
    "ONBUILD": _check_trigger,
    "VOLUME": _check_volumes,
}
