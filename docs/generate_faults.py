"""Writes the tables of docs/faults.md from the kinds of faults. Run: make docs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_constructs.local_aws.faults.kinds import KINDS

if TYPE_CHECKING:
    from mlops_constructs.local_aws.faults.spec import Parameter

PAGE = Path(__file__).with_name("faults.md")
BEGIN, END = "<!-- faults: begin -->\n", "<!-- faults: end -->\n"


def tables() -> str:
    """Return the table of faults, and that of their arguments and options."""
    lines = ["| Fault | What happens | For example |", "|---|---|---|"]
    lines += [f"| `{name}` | {kind.summary} | `{kind.example}` |" for name, kind in KINDS.items()]
    lines += ["", "| Argument or option | Of | Value |", "|---|---|---|"]
    found: dict[tuple[str, str], list[str]] = {}
    for name, kind in KINDS.items():
        for one in kind.arguments:
            found.setdefault((f"`{one.name.upper()}`", one.help), []).append(name)
        for one in kind.options:
            found.setdefault((f"`{one.name}=`", _value(one)), []).append(name)
    for (option, text), names in found.items():
        lines.append(f"| {option} | {_of(names)} | {text} |")
    return "\n".join(lines) + "\n"


def _of(names: list[str]) -> str:
    others = [f"`{name}`" for name in KINDS if name not in names]
    if len(others) < len(names):
        return f"all but {', '.join(others)}"
    return ", ".join(f"`{name}`" for name in names)


def _value(option: Parameter) -> str:
    default = option.default
    if default in (None, "", "*"):
        return option.help
    return f"{option.help} (default: {default if isinstance(default, str) else f'{default:g}'})"


def page(text: str) -> str:
    """Return the page with its tables as they are now."""
    return re.sub(f"{BEGIN}.*?{END}", lambda _: f"{BEGIN}{tables()}{END}", text, flags=re.DOTALL)


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
