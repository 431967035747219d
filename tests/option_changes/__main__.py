"""`make soak-changes`: plans a change of each option, writes `docs/changes.json`, and applies a sample of them."""

from __future__ import annotations

import argparse
import random
import sys
import time
from typing import TYPE_CHECKING

from option_changes import rows
from option_changes.applying import applied
from option_changes.bases import BASES
from option_changes.planning import chosen, folder_of, planned
from option_changes.site import site

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from option_changes.options import Change
    from option_changes.rows import Row
    from option_changes.site import Site

# Another name is another pipeline; the local AWS has no code repositories.
_NOT_APPLIED = ("id_", "name_prefix", "notebook.repository_secret_arn")


def main() -> int:
    """Plan and apply; return 1 when something is not as it must be."""
    parser = argparse.ArgumentParser(prog="make soak-changes", description=__doc__)
    parser.add_argument("--apply", type=int, default=12, metavar="N", help="how many changes are really applied")
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000), help="which ones")
    parser.add_argument("--only-apply", action="store_true", help="plan nothing, and leave the file as it is")
    parser.add_argument("--option", action="append", help="plan only what is not in the file, and such an option")
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    with site() as workplace:
        if not options.only_apply:
            _plan(workplace, options.option)
        some = [change for change in chosen()["made"] if change.option not in _NOT_APPLIED]
        failures = list(applied(workplace, "made", some, options.seed, options.apply))
    for failure in failures:
        print(failure)
    return 1 if failures else 0


def _plan(workplace: Site, only: Sequence[str] | None) -> None:
    """Plan every change, and write the file; or only changes of some options, and keep the other rows."""
    before = rows.read() if rows.FILE.exists() else []
    alone = {row.option for row in before if row.data or row.others}
    kept = {} if only is None else {(row.base, row.option, row.value): row for row in before if row.option not in only}
    found: list[Row] = []
    for name, all_of_it in chosen().items():
        some = [change for change in all_of_it if (name, change.option, change.value) not in kept]
        planned_now = {(row.option, row.value): row for row in _planned(workplace, name, some, alone)}
        # The order of the file must not depend on the order of the search.
        for change in all_of_it:
            old = kept.get((name, change.option, change.value))
            found.append(old or planned_now[change.option, change.value])
    rows.write(found)


def _planned(workplace: Site, name: str, some: list[Change], alone: Collection[str]) -> list[Row]:
    if not some:
        return []
    began = time.monotonic()
    deployed = workplace.deploy(BASES[name], folder_of(name))
    print(f"{name}: deployed in {time.monotonic() - began:.0f} s", flush=True)
    found = list(planned(workplace, name, deployed, some, alone))
    _tell(name, found, time.monotonic() - began)
    return found


def _tell(name: str, found: Sequence[Row], seconds: float) -> None:
    lossy = [row for row in found if row.data]
    print(f"{name}: {len(found)} changes, {len(lossy)} lose data, {seconds:.0f} s", flush=True)


if __name__ == "__main__":
    sys.exit(main())
