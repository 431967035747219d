"""``make messages``: shows what is new, changed or gone, and writes the list when a person has read it."""

from __future__ import annotations

import sys

from messages.listing import LIST, collected, differences, lines, read, written


def main() -> int:
    found = lines(collected())
    approved = read(LIST.read_text(encoding="utf-8")) if LIST.exists() else {}
    changes = differences(approved, found)
    if not changes:
        print(f"{LIST.name} has every message as it is.")
        return 0
    print("\n".join(changes))
    print("\nDoes each say what happened, to which thing, and what to do?")
    if "--yes" not in sys.argv and (not sys.stdin.isatty() or input("Write yes to approve them: ") != "yes"):
        print("Nothing was approved. In a terminal, write yes; elsewhere, give MESSAGES=--yes.")
        return 1
    LIST.write_text(written(found), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
