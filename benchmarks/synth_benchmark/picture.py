"""The picture in docs/benchmarks.md: equal numbers give equal bytes."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
from matplotlib.figure import Figure

from synth_benchmark.cold import RUNS
from synth_benchmark.numbers import median
from synth_benchmark.programs import OURS, PLAIN_JAVASCRIPT, PLAIN_PYTHON

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.axes import Axes

_COLOURS = {OURS: "#1f77b4", PLAIN_PYTHON: "#ff7f0e", PLAIN_JAVASCRIPT: "#7f7f7f"}
# Text remains text in the SVG, and ids do not depend on a random salt.
_STYLE = {"svg.hashsalt": "mlops-constructs", "svg.fonttype": "none", "font.size": 9}


def svg(document: dict[str, Any]) -> str:
    """Draw the parts that were measured and have a picture, side by side."""
    drawn = [(name, draw) for name, draw in _DRAWINGS.items() if name in document["parts"]]
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(4 * max(1, len(drawn)), 3.2), layout="constrained")
        for place, (name, draw) in enumerate(drawn, start=1):
            axes = figure.add_subplot(1, len(drawn), place)
            axes.spines[["top", "right"]].set_visible(False)
            draw(axes, document["parts"][name]["result"])
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    # matplotlib ends some lines with a space.
    return "\n".join(line.rstrip() for line in buffer.getvalue().splitlines()) + "\n"


def _warm(axes: Axes, result: dict[str, Any]) -> None:
    names = list(result["seconds"])
    heights = [median(result["seconds"][name]) for name in names]
    bars = axes.bar(names, heights, color=[_COLOURS[name] for name in names])
    axes.bar_label(bars, [f"{height:.2f} s" for height in heights])
    axes.tick_params(axis="x", labelsize=7)
    _title(axes, f"Synth of main.py, {result['resources']} resources", "seconds, whole process")


def _cold(axes: Axes, result: dict[str, Any]) -> None:
    width = 0.4
    for shift, side in enumerate((OURS, PLAIN_PYTHON)):
        heights = [median(result["seconds"][side][run]) for run in RUNS]
        places = [place + (shift - 0.5) * width for place in range(len(RUNS))]
        bars = axes.bar(places, heights, width, color=_COLOURS[side], label=side)
        axes.bar_label(bars, [f"{height:.1f}" for height in heights])
    axes.set_xticks(range(len(RUNS)), [f"{run} run" for run in RUNS])
    axes.margins(y=0.25)
    axes.legend(frameon=False, loc="upper right", ncols=2)
    _title(axes, "Synth with an empty jsii cache", "seconds, whole process")


def _growth(axes: Axes, result: dict[str, Any]) -> None:
    size = max(result["sizes"], key=int)
    rounds = [one["pipelines"] for one in result["sizes"][size]]
    each = [median(values) for values in zip(*rounds, strict=True)]
    axes.plot(range(1, len(each) + 1), each, color=_COLOURS[OURS], marker=".")
    axes.set_ylim(bottom=0)
    axes.set_xlabel("which pipeline of the app")
    _title(axes, f"{size} pipelines in one app", "seconds for one more")


def _title(axes: Axes, title: str, unit: str) -> None:
    axes.set_title(title, fontsize=10)
    axes.set_ylabel(unit)


_DRAWINGS: dict[str, Callable[[Axes, dict[str, Any]], None]] = {"warm": _warm, "cold": _cold, "growth": _growth}
