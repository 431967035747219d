"""A sweep: every call that the functions of a release make, refused, lost, and followed by a kill, in turn."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from mlops_constructs.local_aws.faults.recorder import Recorder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from mlops_constructs.local_aws.faults.faults import Faults
    from mlops_constructs.local_aws.faults.recorder import Call

MODES = ("refused", "lost", "killed")
_READS = ("Describe", "Get", "Head", "List")
# What each service answers when it is called too often.
_THROTTLED = {
    "s3": "SlowDown",
    "lambda": "TooManyRequestsException",
    "cloudformation": "Throttling",
    "sns": "Throttling",
}


@dataclass(frozen=True)
class Case:
    """One fault of a sweep.

    Attributes:
        id: Such as ``lost train-model sagemaker.CreateTrainingJob``.
        fault: The fault, as ``Faults.inject`` and ``--fault`` take it.
    """

    id: str
    fault: str


def record(faults: Faults, release: Callable[[], object]) -> list[Call]:
    """Return every call that functions make during a release, in their order."""
    recorder = Recorder()
    with faults.watched_by(recorder):
        release()
    return recorder.calls


def sweep(calls: Iterable[Call], pipeline: str = "") -> Iterator[Case]:
    """Yield the cases of a sweep.

    A call that changes something is hit each time that it is made. One that only reads is hit the first time: how often
    a function looks depends on how long it waits.

    Args:
        calls: What ``record`` has returned.
        pipeline: Name of the pipeline, which the ids and faults leave out.
    """
    counted = Counter(calls)
    for call, count in counted.items():
        function = call.function.removeprefix(f"{pipeline}-")
        operation = f"{call.service}.{call.operation}"
        times = 1 if call.operation.startswith(_READS) else count
        for nth in range(1, times + 1):
            which = f":nth={nth}" if nth > 1 else ""
            of = f" ({nth})" if nth > 1 else ""
            code = _THROTTLED.get(call.service, "ThrottlingException")
            texts = (
                f"refuse:{operation}:{code}:caller={function}{which}",
                f"lose:{operation}:caller={function}{which}",
                f"kill:{function}:after={operation}{which}",
            )
            for mode, text in zip(MODES, texts, strict=True):
                yield Case(f"{mode} {function} {operation}{of}", text)


def sample(cases: Iterable[Case], count: int, seed: int) -> list[Case]:
    """Draw some cases, as different as they can be: each function and mode before another one comes again."""
    draw = Random(seed)
    groups: dict[tuple[str, str], list[Case]] = {}
    for case in cases:
        mode, function, *_ = case.id.split()
        groups.setdefault((function, mode), []).append(case)
    for group in groups.values():
        draw.shuffle(group)
    found: list[Case] = []
    while len(found) < count and any(groups.values()):
        order = [group for group in groups.values() if group]
        draw.shuffle(order)
        found += [group.pop() for group in order[: count - len(found)]]
    return found
