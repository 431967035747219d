"""docs/benchmarks.md, .json and .svg: written from the numbers, so that they cannot drift apart."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from synth_benchmark.processes import ROOT
from synth_benchmark.report import markdown, markdown_targets, tables, targets

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DOCS = ROOT / "docs"
_HEAD = """# Benchmarks

How long a synth takes, what one more pipeline costs, and how heavy the parts are. This page, its picture and
`benchmarks.json` beside it are written by the benchmark itself:

```console
make bench                                        # prints; writes bench.json
make bench BENCH="--only warm,cold --rounds 5"    # some parts: {parts}
make bench BENCH="--all --write-docs"             # with the rehearsal; writes this page
```

It needs npm for the plain JavaScript program, whose packages it installs once below
`~/.cache/mlops-constructs/benchmark`; without npm that program is left out.

![Synth time, cold runs and growth](benchmarks.svg)

## What is compared

- **main.py** is the program at the top of this repository: one `MLOpsPipeline`.
- **plain Python** makes the same resources with cdktf and the prebuilt AWS provider, imported as its documentation
  shows (`from cdktf_cdktf_provider_aws.s3_bucket import S3Bucket`). The benchmark writes this program from what main.py
  synthesizes, runs it, and compares provider, data, resources and outputs: they must be equal. It does a little less
  than main.py: it zips no functions and copies no assets.
- **plain JavaScript** is the same again with `require("@cdktf/provider-aws")`, the provider in the same version.

Every program is a fresh process, timed from its start to its exit, in the same Node.js. Programs take turns, round by
round, so that a slow minute of the machine meets all of them. Times are medians; a ratio is the median of the rounds'
ratios. Warm means that one run of each came before; cold, that jsii's package cache was empty before the first run
(the files themselves may still be in the machine's memory). Targets are met or missed; no test depends on a time.
"""


def write_docs(document: dict[str, Any], folder: Path = DOCS) -> None:
    """Write the page, its picture and its numbers; parts that were not measured keep what they had."""
    from synth_benchmark.picture import svg

    numbers = folder / "benchmarks.json"
    known = json.loads(numbers.read_text(encoding="utf-8"))["parts"] if numbers.exists() else {}
    # Why a part failed may name a place of the machine.
    merged = {"parts": {**known, **document["parts"]}, "failed": {}}
    numbers.write_text(json.dumps(merged, indent=1) + "\n", encoding="utf-8")
    (folder / "benchmarks.svg").write_text(svg(merged), encoding="utf-8")
    (folder / "benchmarks.md").write_text(page(merged), encoding="utf-8")


def page(document: dict[str, Any]) -> str:
    """Give the Markdown of the page."""
    from synth_benchmark.collect import PARTS

    lines = [_HEAD.format(parts=", ".join(PARTS)), *_machines(document), ""]
    for table in tables(document):
        lines += markdown(table)
    return "\n".join([*lines, *markdown_targets(targets(document))]) + "\n"


def _machines(document: dict[str, Any]) -> Iterator[str]:
    """Say once what several parts ran on."""
    ran: dict[str, list[str]] = {}
    for name, part in document["parts"].items():
        machine = part["machine"]
        processors = {2: "Two shared cores"}.get(machine["processors"], f"{machine['processors']} cores")
        text = (
            f"{processors}, Python {machine['python']}, Node.js {machine['node']}, cdktf {machine['cdktf']}, "
            f"cdktf-cdktf-provider-aws {machine['cdktf-cdktf-provider-aws']}"
        )
        ran.setdefault(text, []).append(f"{name} ({part['rounds']})")
    for text, names in ran.items():
        yield f"{text}. Parts (rounds): {', '.join(names)}."
