"""All checks, in the order in which a synth needs them."""

from __future__ import annotations

from datetime import datetime, timezone
from importlib.util import find_spec
from typing import TYPE_CHECKING

from .finding import Finding
from .jsii_cache import examine_jsii
from .node import examine_node
from .python import examine_bytecode, examine_packages, examine_python
from .terraform import examine_provider, examine_terraform

if TYPE_CHECKING:
    from collections.abc import Iterator

# Unpacking and indexing an empty cache takes much less than a minute.
PROBE_SECONDS = 120.0


def examine(*, probe_seconds: float = PROBE_SECONDS) -> Iterator[Finding]:
    """Run all checks, and yield one finding after the other.

    Args:
        probe_seconds: How long loading the bindings may take.
    """
    today = datetime.now(timezone.utc).date()
    yield examine_python(today)
    yield examine_packages()
    yield examine_bytecode()
    node = examine_node(today)
    yield node
    if node.state != "broken":
        yield from examine_jsii(probe_seconds)
    yield examine_terraform()
    yield examine_provider()
    yield from _for_rehearsals()


def _for_rehearsals() -> Iterator[Finding]:
    thing = "rehearsal extra"
    if find_spec("moto") is None:
        yield Finding(thing, "good", "not installed; pip install 'mlops-constructs[rehearsal]' adds mlops rehearse")
        return
    yield Finding(thing, "good", "installed")
    from ..local_aws.containers.docker import engine_problem

    problem = engine_problem()
    yield Finding(
        "Docker", "good", "answers" if problem is None else f"{problem}; rehearsals run containers as processes"
    )
