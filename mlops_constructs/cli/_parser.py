"""The parser of the ``mlops`` command: commands in groups, and a suggestion for a word that is misspelt."""

from __future__ import annotations

import argparse
import difflib
import sys
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class Commands(argparse._SubParsersAction):  # type: ignore[type-arg]
    """The commands; the help lists them in groups."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._group = ""
        self._listed: dict[str, dict[str, str]] = {}

    def begin(self, group: str) -> None:
        """Add the next commands to a group."""
        self._group = group

    def add_parser(self, name: str, *, help: str | None = None, **named: Any) -> argparse.ArgumentParser:
        """Add a command to the current group."""
        self._listed.setdefault(self._group, {})[name] = help or ""
        parser: argparse.ArgumentParser = super().add_parser(name, **named)
        return parser

    def groups(self) -> str:
        """List the commands with their help."""
        width = 2 + max(len(name) for group in self._listed.values() for name in group)
        return "\n\n".join(
            "\n".join([f"{group}:", *(f"  {name:{width}}{help}" for name, help in commands.items())])
            for group, commands in self._listed.items()
        )


def make_parser(prog: str, description: str, version: str) -> tuple[argparse.ArgumentParser, Commands]:
    """Return a parser and its commands, to which parsers are to be added."""
    parser = argparse.ArgumentParser(
        prog=prog,
        usage=f"{prog} [-h] [--version] COMMAND ...",
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=version)
    commands = parser.add_subparsers(
        dest="command", prog=prog, action=Commands, help=argparse.SUPPRESS, parser_class=argparse.ArgumentParser
    )
    assert isinstance(commands, Commands)
    return parser, commands


def parse(parser: argparse.ArgumentParser, commands: Commands, arguments: Sequence[str] | None) -> argparse.Namespace:
    """Parse the arguments; end with exit code 2, the help that fits and a suggestion when they are wrong."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    known: dict[str, argparse.ArgumentParser] = commands.choices
    if not given:
        parser.print_help(sys.stderr)
        raise SystemExit(2)
    if not given[0].startswith("-") and given[0] not in known:
        parser.error(f"there is no command {given[0]!r}{_suggestion(given[0], known)}")
    options, unknown = parser.parse_known_args(given)
    if unknown:
        _refuse(known.get(options.command, parser), unknown)
    return options


def _refuse(parser: argparse.ArgumentParser, unknown: Sequence[str]) -> NoReturn:
    options = [one for action in parser._actions for one in action.option_strings]
    parser.error(f"unrecognized arguments: {' '.join(unknown)}{_suggestion(unknown[0].partition('=')[0], options)}")


def _suggestion(word: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(word, known, n=1)
    return f"; did you mean {close[0]}?" if close else ""
