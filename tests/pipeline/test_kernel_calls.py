"""What a pipeline costs: each call to jsii's kernel is a round trip of about a millisecond."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from synthesis import CONTAINER, new_stack

from mlops_constructs import Algorithm, ConfigError, Dataset, MLOpsPipeline, Training
from mlops_constructs.provider import kms_key

if TYPE_CHECKING:
    from collections.abc import Iterator

# Pinned, so that a change that makes every synth slower is seen. Fewer is better; more wants a reason. One reads
# whether the provider has an alias, because prices need the region; others make the stage and its dashboard, the
# alarms, and the function that notifies people with its two rules; fifteen the guard of a destroy, which reads all
# resources with one call; twenty-three delete DEV after the decision; four are the alarms on lost events.
CALLS = 362
# The stack and its provider are read before the arguments are refused, so that all mistakes are told together.
READS = ["node", "children", "regionInput", "defaultTagsInput"]


@contextmanager
def recorded(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """Collect every request to the kernel."""
    from jsii import _runtime  # the one kernel of this process

    process = _runtime.kernel.provider._process
    requests: list[Any] = []
    send = process.send

    def record(request: Any, response_type: Any) -> Any:
        requests.append(request)
        return send(request, response_type)

    with monkeypatch.context() as patch:
        patch.setattr(process, "send", record)
        yield requests


def reads(requests: list[Any]) -> Counter[tuple[str, str]]:
    """Count how often each attribute of each object was read."""
    gets = [request for request in requests if type(request).__name__ == "GetRequest"]
    return Counter((request.objref.ref, request.property) for request in gets)


def read(requests: list[Any]) -> list[str]:
    """Give what was asked: the attribute that was read, or what else was called."""
    return [getattr(request, "property", type(request).__name__) for request in requests]


def make(stack: Any, id_: str) -> None:
    MLOpsPipeline(stack, id_, algorithm=Algorithm.from_directory(CONTAINER), dataset=Dataset())


def test_the_number_of_calls_of_a_pipeline_is_pinned(monkeypatch: pytest.MonkeyPatch) -> None:
    stack = new_stack()
    with recorded(monkeypatch) as requests:
        make(stack, "iris")
    assert len(requests) == CALLS, Counter(type(request).__name__ for request in requests)


def test_a_second_pipeline_costs_as_much_as_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    stack = new_stack()
    counts = []
    for id_ in ("one", "two", "three"):
        with recorded(monkeypatch) as requests:
            make(stack, id_)
        counts.append(len(requests))
    assert len(set(counts)) == 1, counts


@pytest.mark.parametrize("training", [Training(instance_count=0), Training(instance_type="${TfToken[TOKEN.3]}")])
def test_mistakes_are_told_after_four_reads(monkeypatch: pytest.MonkeyPatch, training: Training) -> None:
    stack = new_stack()
    with recorded(monkeypatch) as requests, pytest.raises(ConfigError):
        MLOpsPipeline(stack, "p", algorithm=Algorithm.from_directory(CONTAINER), dataset=Dataset(), training=training)
    assert read(requests) == READS


def test_no_attribute_is_read_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    stack = new_stack()
    with recorded(monkeypatch) as requests:
        make(stack, "iris")
    assert {read: count for read, count in reads(requests).items() if count > 1} == {}


def test_mistakes_are_reported_before_anything_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    stack = new_stack()
    with recorded(monkeypatch) as requests, pytest.raises(ConfigError) as caught:
        MLOpsPipeline(
            stack,
            "iris",
            algorithm=Algorithm.from_directory(CONTAINER),
            dataset=Dataset(prefix="/no"),
            training=Training(instance_type="m5.large", instance_count=0),
        )
    assert read(requests) == READS
    assert {problem.field for problem in caught.value.problems} == {
        "dataset.prefix",
        "training.instance_type",
        "training.instance_count",
    }


def test_the_count_sees_a_second_read(monkeypatch: pytest.MonkeyPatch) -> None:
    key = kms_key.KmsKey(new_stack(), "key")
    with recorded(monkeypatch) as requests:
        _ = [key.arn, key.arn]
    assert list(reads(requests).values()) == [2]
