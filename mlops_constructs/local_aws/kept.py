"""The local AWS accounts that commands keep running on this machine."""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from mlops_constructs.local_aws.user_cache import cache_folder, user_cache

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class KeptAws:
    """One of them.

    Attributes:
        url: Its URL.
        region: Its region.
        process: Id of the process that serves it.
    """

    url: str
    region: str
    process: int


@contextlib.contextmanager
def kept(url: str, region: str) -> Iterator[None]:
    """Let other commands find the local AWS of this process while the block runs."""
    file = cache_folder("kept") / f"{os.getpid()}.json"
    file.write_text(json.dumps(asdict(KeptAws(url, region, os.getpid()))), encoding="utf-8")
    try:
        yield
    finally:
        file.unlink(missing_ok=True)


def running() -> list[KeptAws]:
    """Return those whose process still runs; the records of others are removed."""
    found = []
    for file in sorted((user_cache() / "local-aws" / "kept").glob("*.json")):
        with contextlib.suppress(OSError, ValueError, TypeError):
            one = KeptAws(**json.loads(file.read_text(encoding="utf-8")))
            if _runs(one.process):
                found.append(one)
            else:
                file.unlink(missing_ok=True)
    return found


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except PermissionError:
        return True
    except OSError:
        return False
    return True
