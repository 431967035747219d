"""Writes `data/`, the deliveries of last year, and `new_data/`, those since the firm also delivers to villages."""

from __future__ import annotations

import csv
import random
from pathlib import Path

HERE = Path(__file__).parent


def delivery(luck: random.Random, mean_km: float) -> list[str]:
    """Return one delivery: whether it arrived late, and what is known before."""
    distance, weight = max(0.5, luck.gauss(mean_km, 6.0)), max(0.1, luck.gauss(8.0, 3.0))
    hour = luck.uniform(6.0, 20.0)
    # Far ones, heavy ones and those in the afternoon are late, more or less.
    late = distance / 20.0 + weight / 16.0 - abs(hour - 17.0) / 12.0 + luck.gauss(0.0, 0.05) > 1.0
    return ["late" if late else "punctual", f"{distance:.1f}", f"{weight:.1f}", f"{hour:.2f}"]


def write(folder: Path, mean_km: float, seed: int) -> None:
    """Write the channels of a data set."""
    folder.mkdir(exist_ok=True)
    luck = random.Random(seed)
    for channel, rows in (("train", 900), ("validation", 400)):
        with (folder / f"{channel}.csv").open("w", newline="", encoding="utf-8") as file:
            csv.writer(file, lineterminator="\n").writerows(delivery(luck, mean_km) for _ in range(rows))


if __name__ == "__main__":
    write(HERE / "data", mean_km=14.0, seed=1)
    write(HERE / "new_data", mean_km=19.0, seed=2)
