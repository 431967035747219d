"""`make fuzz`: requests for minutes against a server of the container, which is started for it."""

from __future__ import annotations

import argparse
import contextlib
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from container_fuzz.cases import case
from container_fuzz.peak import Peak
from container_fuzz.server import serving, train

if TYPE_CHECKING:
    from collections.abc import Iterator

    from container_fuzz.watch import Watch

CONTAINER = Path(__file__).parents[2] / "container"
_PING_SECONDS = 2.0


def main() -> int:
    """Send requests until the time is over; return 1 when one did what it must not do."""
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--first", type=int, default=0, metavar="NUMBER", help="number of the first request")
    parser.add_argument("--container", type=Path, default=CONTAINER, help="folder with train and serve")
    options = parser.parse_args()
    statuses: Counter[int] = Counter()
    bad: list[str] = []
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder, _server(Path(folder), options.container) as watch:
        pings = Peak(watch.ping)
        deadline, number = time.monotonic() + 60 * options.minutes, options.first
        most_memory = most_seconds = 0.0
        while time.monotonic() < deadline:
            asked = case(number)
            pings.most = 0.0
            result = watch.send(asked)
            statuses[result.status] += 1
            most_memory, most_seconds = max(most_memory, result.megabytes), max(most_seconds, result.seconds)
            faults = result.faults(wall=True)
            if pings.most > _PING_SECONDS:
                faults.append(f"/ping took {pings.most:.1f} s")
            if faults:
                bad.append(f"{asked}: {', '.join(faults)}")
                print(bad[-1], flush=True)
            number += 1
        pings.close()
    print(f"{sum(statuses.values())} requests, {len(bad)} of them bad; statuses {dict(sorted(statuses.items()))}")
    print(f"at most {most_memory:.0f} MB and {most_seconds:.1f} s; the next one is --first {number}")
    return 1 if bad else 0


@contextlib.contextmanager
def _server(folder: Path, container: Path) -> Iterator[Watch]:
    log = folder / "serve.log"
    with serving(train(folder, container), container, log, SAGEMAKER_MODEL_SERVER_WORKERS="1") as (_, watch):
        yield watch
    errors = [line for line in log.read_text(errors="replace").splitlines() if "ERROR" in line]
    print("\n".join(errors[-20:]))


if __name__ == "__main__":
    sys.exit(main())
