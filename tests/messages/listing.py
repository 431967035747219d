"""The list of approved messages: by module, in order of the alphabet, a piece of a message after an ellipsis."""

from __future__ import annotations

from pathlib import Path

from messages.collector import Collector, Message
from messages.source import Program

ROOT = Path(__file__).resolve().parents[2]
LIST = Path(__file__).with_name("approved.txt")
# What is shipped; the local AWS's own are told apart by the collector.
_FOLDERS = ("mlops_constructs", "lambdas", "container", "examples/tasks")
_HEAD = """\
# Every message that a person can meet when something is wrong, as a reader has approved it: it says what happened, to
# which thing, and what to do. `make messages` shows what is new, changed or gone, and writes this file.
# In braces is the name of a value; (a|b) is one of two texts; … stands before a piece of a message.
# What the local AWS says in AWS's name is not listed: its words are AWS's.
"""
_PIECE = "… "


def texts() -> dict[str, str]:
    """Give the text of every Python file that is shipped, by its path."""
    paths = [path for folder in _FOLDERS for path in sorted((ROOT / folder).rglob("*")) if path.is_file()]
    return {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8") for path in paths if _is_python(path)}


def _is_python(path: Path) -> bool:
    if path.suffix:
        return path.suffix == ".py"
    return path.read_bytes().startswith((b"#!/usr/bin/env python", b"#!/usr/bin/python"))


def collected() -> set[Message]:
    """Give every message of the source."""
    return Collector(Program(texts())).collect()


def lines(messages: set[Message]) -> dict[str, list[str]]:
    """Give the lines of the list, by module."""
    whole = {(one.module, one.text) for one in messages if one.whole}
    pieces = {(one.module, one.text) for one in messages if not one.whole} - whole
    found: dict[str, list[str]] = {}
    for module, text in sorted(whole | pieces):
        found.setdefault(module, []).append(text if (module, text) in whole else f"{_PIECE}{text}")
    return found


def written(by_module: dict[str, list[str]]) -> str:
    """Give the text of the list."""
    parts = ["\n".join([module, *(f"  {line}" for line in found), ""]) for module, found in sorted(by_module.items())]
    return "\n".join([_HEAD, *parts])


def read(text: str) -> dict[str, list[str]]:
    """Read the list."""
    found: dict[str, list[str]] = {}
    module = ""
    for line in text.splitlines():
        if line.startswith("  "):
            found[module].append(line[2:])
        elif line and not line.startswith("#"):
            module = line
            found[module] = []
    return found


def differences(approved: dict[str, list[str]], found: dict[str, list[str]]) -> list[str]:
    """Give what is new (+) and what is gone (-), each after its module."""
    told = []
    for module in sorted({*approved, *found}):
        before, after = approved.get(module, []), found.get(module, [])
        changes = [f"  - {one}" for one in before if one not in after]
        changes += [f"  + {one}" for one in after if one not in before]
        if changes:
            told += [module, *changes]
    return told
