"""Write the baseline programs for a synthesized document: ``python -m synth_benchmark.generate DOCUMENT FOLDER``.

It runs in a separate process, because the bindings start Node, which must not run during a measurement.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from synth_benchmark.baseline import program_of
from synth_benchmark.document import JAVASCRIPT_FILE, PYTHON_FILE
from synth_benchmark.source_text import javascript_source, python_source


def main(document: str, folder: str) -> None:
    """Read the document; write both programs into the folder."""
    program = program_of(json.loads(Path(document).read_text(encoding="utf-8")))
    (Path(folder) / PYTHON_FILE).write_text(python_source(program), encoding="utf-8")
    (Path(folder) / JAVASCRIPT_FILE).write_text(javascript_source(program), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
