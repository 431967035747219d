"""Every message that a person can meet is on the list that a reader has approved, and none falls below the floor."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from messages.listing import LIST, differences, lines, read, written

if TYPE_CHECKING:
    from messages.collector import Message
    from messages.source import Program


def test_every_message_has_been_approved(messages: set[Message]) -> None:
    changes = differences(read(LIST.read_text(encoding="utf-8")), lines(messages))
    assert changes == [], "read what is new (+) and what is gone (-), then approve it: make messages"


def test_the_list_is_as_it_would_be_written() -> None:
    text = LIST.read_text(encoding="utf-8")
    assert written(read(text)) == text, "write it with: make messages"


def test_no_text_in_a_raise_is_missing(program: Program, messages: set[Message]) -> None:
    """Found without following anything: what the collector does not see would be a gap."""
    known: dict[str, str] = {}
    for one in messages:
        known[one.module] = known.get(one.module, "") + "\n" + one.text
    missing = [
        f"{path}: {text}"
        for path, module in program.modules.items()
        if not path.startswith("mlops_constructs/local_aws/")
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Raise)
        for text in (one.value for one in ast.walk(node) if isinstance(one, ast.Constant))
        if isinstance(text, str)
        and " " in text.strip()
        and text.strip().replace("\n", "\\n") not in known.get(path, "")
    ]
    assert missing == []
