"""Rules for the source folder of a script, checked at synth: TrainModel carries it to each training job."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from ..errors import Problem
from ._folder import deployed_files, file_problems, is_folder
from ._rules import literal
from ._tokens import is_token

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# The file that the pipeline adds; it starts the entry point.
STARTER = "mlops_entry_point.py"
MAX_FILES = 2000
# With the function's own code, far below what Lambda takes:
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
MAX_TOTAL_BYTES = 20 * 1024 * 1024


def source_problems(field: str, source: Path) -> Iterator[Problem]:
    """Require a folder of few, small and readable files."""
    if is_token(str(source)):
        yield from literal(field, str(source))
        return
    if not is_folder(source):
        yield Problem(field, "must be a folder", str(source), "correct the path")
        return
    files = list(islice(deployed_files(source), MAX_FILES + 1))
    if len(files) > MAX_FILES:
        remedy = "give the folder of the script alone, without data and environments"
        yield Problem(field, f"must contain at most {MAX_FILES} files", f"more than {MAX_FILES}", remedy)
        return
    yield from file_problems(field, source, [(path, fault) for path, fault in files if fault is not None])
    total = sum(path.stat().st_size for path, fault in files if fault is None)
    if total > MAX_TOTAL_BYTES:
        remedy = "keep data and models elsewhere, or use a container of your own"
        yield Problem(field, f"must contain at most {MAX_TOTAL_BYTES} bytes in total", total, remedy)
    if (source / STARTER).exists():
        yield Problem(field, f"must not contain {STARTER}, which the pipeline adds", STARTER, "rename it")
