"""Rules for the code of a script: what would fail only after a job has started is found at synth."""

from __future__ import annotations

import ast
import re
import sys
import warnings
from typing import TYPE_CHECKING

from ..errors import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# The oldest grammar that the parser knows.
_OLDEST = (3, 7)
# The newest Python that AWS's images have, for those of which the SDK does not say it.
_NEWEST = (3, 13)


def syntax_problems(field: str, file: Path, python: str | None) -> Iterator[Problem]:
    """Require a module that the Python of its image can read.

    Args:
        field: The argument that names the module.
        file: The module.
        python: Version of the image's Python, such as ``py312``; None where it is not known.
    """
    version = _version(python)
    if (version or _NEWEST) > sys.version_info[:2]:
        # This Python does not know the grammar of a newer one, and would refuse what the image takes.
        return
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(file.read_bytes(), feature_version=None if version is None else max(version, _OLDEST))
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None)
        place = file.name if line is None else f"{file.name}, line {line}"
        name = "Python" if version is None else "Python {}.{}".format(*version)
        reason = error.msg if isinstance(error, SyntaxError) else str(error)
        yield Problem(field, f"must be a module that {name} can read", f"{place}: {reason}", "correct the line")
    except (OSError, RecursionError, MemoryError):
        # A file that cannot be read is told with its folder; what the parser cannot hold may still be right.
        return


def model_fn_problems(field: str, file: Path) -> Iterator[Problem]:
    """Require ``model_fn``, in whatever way a module may get it.

    https://github.com/aws/sagemaker-scikit-learn-container: its image alone cannot load a model without it.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return
    if "model_fn" not in text and re.search(r"import\s*\(?\s*\*", text) is None:
        rule = "must define model_fn(model_dir): AWS's image of scikit-learn loads the model with it"
        yield Problem(field, rule, file.name, "add the function, or name the file that has it")


def _version(python: str | None) -> tuple[int, int] | None:
    found = re.fullmatch(r"py(\d)(\d+)", python or "")
    return None if found is None else (int(found[1]), int(found[2]))
