"""Ask an independent engine for the verdict on every case, and freeze the answers in ``verdicts.jsonl.gz``.

    npm install --prefix FOLDER @cloud-copilot/iam-simulate@0.1.173
    PYTHONPATH=tests python -m local_aws.iam.regenerate FOLDER

The engine is a tool of this script alone; neither the library nor a test needs it. The file is the same for the same
cases and the same version of the engine.
"""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path

from local_aws.iam.cases import Case, random_cases
from local_aws.iam.corners import corner_cases

VERDICTS = Path(__file__).with_name("verdicts.jsonl.gz")
_RANDOM = 1500


def read_verdicts() -> list[Case]:
    """Give the frozen cases, each with its ``verdict``."""
    return [json.loads(line) for line in gzip.decompress(VERDICTS.read_bytes()).splitlines()]


def current_cases() -> list[Case]:
    """Give the cases that are to be asked."""
    return [*random_cases(_RANDOM), *corner_cases()]


def regenerate(modules: Path) -> int:
    """Write the file anew and return the number of cases."""
    cases = current_cases()
    script = Path(__file__).with_name("verdicts.mjs")
    lines = "".join(json.dumps(case, separators=(",", ":")) + "\n" for case in cases)
    asked = subprocess.run(
        ["node", script, modules.resolve()], input=lines, stdout=subprocess.PIPE, text=True, check=True
    )
    VERDICTS.write_bytes(gzip.compress(asked.stdout.encode(), mtime=0))
    return len(cases)


if __name__ == "__main__":
    print(regenerate(Path(sys.argv[1])), "cases")
