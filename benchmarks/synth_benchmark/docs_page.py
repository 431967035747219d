"""Write docs/benchmarks.md, .json and .svg from the same numbers, so that they always agree."""

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

How long a synth takes, how much time one more pipeline takes, and how large and slow the other parts are. The benchmark
itself writes this page, its picture and `benchmarks.json` in the same folder:

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
- **plain Python** creates the same resources with cdktf and the prebuilt AWS provider, imported as its documentation
  shows (`from cdktf_cdktf_provider_aws.s3_bucket import S3Bucket`). The benchmark generates this program from the
  synthesized stack of main.py, runs it, and compares provider, data, resources and outputs: they must be equal. The
  program does a little less than main.py: it zips no functions and copies no assets.
- **plain JavaScript** is the same program in JavaScript, with `require("@cdktf/provider-aws")` in the same version.

Every program runs in a new process, timed from its start to its exit, with the same Node.js. Programs run in turns,
round by round, so that a slow period of the machine affects all of them. Times are medians; a ratio is the median of
the rounds' ratios. Warm means that each program has run once before; cold, that jsii's package cache was empty before
the first run (the files may still be in the operating system's cache). Targets are met or missed; no test depends on a
time.
"""


def write_docs(document: dict[str, Any], folder: Path = DOCS) -> None:
    """Write the page, its picture and its numbers; parts that were not measured keep their old numbers."""
    from synth_benchmark.picture import svg

    numbers = folder / "benchmarks.json"
    known = json.loads(numbers.read_text(encoding="utf-8"))["parts"] if numbers.exists() else {}
    # Without the reasons for failures, which may contain paths of this machine.
    merged = {"parts": {**known, **document["parts"]}, "failed": {}}
    numbers.write_text(json.dumps(merged, indent=1) + "\n", encoding="utf-8")
    (folder / "benchmarks.svg").write_text(svg(merged), encoding="utf-8")
    (folder / "benchmarks.md").write_text(page(merged), encoding="utf-8")


def page(document: dict[str, Any]) -> str:
    """Return the Markdown of the page."""
    from synth_benchmark.collect import PARTS

    lines = [_HEAD.format(parts=", ".join(PARTS)), *_machines(document), ""]
    for table in tables(document):
        lines += markdown(table)
    return "\n".join([*lines, *markdown_targets(targets(document))]) + "\n"


def _machines(document: dict[str, Any]) -> Iterator[str]:
    """Name each machine once, with the parts that ran on it."""
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
