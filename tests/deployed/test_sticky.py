"""Users stay at one variant while a test runs, and nobody is sent to a challenger that has none."""

from __future__ import annotations

import io
import json
import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import ClientError
from lambdas.conftest import violations

from mlops_constructs.deployed.sticky import StickyAssignment

USERS = [f"user {number}" for number in range(2000)]
_SESSION = botocore.session.get_session()


def record(share: float = 0.2, *, state: str = "running", salt: str = "s", intent: str | None = None) -> dict[str, Any]:
    return {
        "champion": {"slot": "primary"},
        "challenger": {"slot": "secondary"},
        "share": share,
        "test": {"state": state, "salt": salt},
        "intent": None if intent is None else {"kind": intent},
    }


def refused(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "GetObject")


class S3:
    """S3 with one record, or an error."""

    def __init__(self, answer: object) -> None:
        self.answer, self.reads = answer, 0

    def get_object(self, **request: Any) -> dict[str, Any]:
        assert request == {"Bucket": "artifacts", "Key": "ab/iris/record.json"}
        self.reads += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        return {"Body": io.BytesIO(json.dumps(self.answer).encode())}


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def assigned(s3: S3, clock: Clock | None = None) -> StickyAssignment:
    return StickyAssignment("iris", "artifacts", s3=s3, clock=clock or Clock())


def at_challenger(assignments: StickyAssignment) -> set[str]:
    return {user for user in USERS if assignments.variant(user).target_variant == "secondary"}


def test_the_same_user_gets_the_same_variant_and_the_share_is_that_of_the_record() -> None:
    first, again = at_challenger(assigned(S3(record(0.2)))), at_challenger(assigned(S3(record(0.2))))
    assert first == again
    # Twelve standard deviations.
    assert abs(len(first) / len(USERS) - 0.2) < 0.11


def test_users_of_the_challenger_stay_there_while_its_share_grows() -> None:
    shares = [0.05, 0.1, 0.5, 0.9]
    groups = [at_challenger(assigned(S3(record(share)))) for share in shares]
    for before, after in pairwise(groups):
        assert before < after


def test_another_test_assigns_others() -> None:
    assert at_challenger(assigned(S3(record(salt="s")))) != at_challenger(assigned(S3(record(salt="t"))))


def test_the_inference_id_begins_with_the_hashed_user_and_is_one_that_sagemaker_takes() -> None:
    assignments = assigned(S3(record()))
    one, two = (assignments.variant("ada@example.com").inference_id for _ in range(2))
    model = _SESSION.get_service_model("sagemaker-runtime").operation_model("InvokeEndpoint").input_shape
    assert violations(model, {"InferenceId": one}) == []
    assert re.fullmatch(r"[0-9a-f]{32}\.[0-9a-f]{31}", one)
    assert one.partition(".")[0] == two.partition(".")[0]
    assert one != two
    assert one.partition(".")[0] != assignments.variant("bob@example.com").inference_id.partition(".")[0]


@pytest.mark.parametrize(
    "answer",
    [
        record(state="aborted"),
        record(state="starting"),
        record(intent="abort"),
        {**record(), "test": None},
        refused("NoSuchKey"),
        refused("AccessDenied"),
        "nonsense",
    ],
    ids=["aborted", "starting", "being aborted", "no test", "no record", "denied", "nonsense"],
)
def test_without_a_test_that_runs_no_variant_is_chosen(answer: object) -> None:
    found = assigned(S3(answer)).variant("ada")
    assert found.target_variant is None
    assert re.fullmatch("[0-9a-f]{32}", found.inference_id)


def test_a_shift_under_way_changes_nothing() -> None:
    assert assigned(S3(record(0.9999, intent="shift"))).variant("ada").target_variant == "secondary"


def test_the_record_is_read_once_in_its_time_and_an_abort_ends_it() -> None:
    s3, clock = S3(record(0.9999)), Clock()
    assignments = assigned(s3, clock)
    assert assignments.variant("ada").target_variant == "secondary"
    s3.answer = record(state="aborted")
    clock.now += 59
    assert (assignments.variant("ada").target_variant, s3.reads) == ("secondary", 1)
    clock.now += 1
    assert (assignments.variant("ada").target_variant, s3.reads) == (None, 2)


def test_while_s3_fails_the_last_record_is_used_for_a_while() -> None:
    s3, clock = S3(record(0.9999)), Clock()
    assignments = assigned(s3, clock)
    assert assignments.variant("ada").target_variant == "secondary"
    s3.answer = refused("SlowDown")
    clock.now += 300
    assert assignments.variant("ada").target_variant == "secondary"
    clock.now += 1
    assert (assignments.variant("ada").target_variant, s3.reads) == (None, 2)
    s3.answer = record(0.9999)
    clock.now += 60
    assert assignments.variant("ada").target_variant == "secondary"


def test_many_threads_read_once_and_agree() -> None:
    s3, start = S3(record()), threading.Barrier(8)
    assignments = assigned(s3)

    def assign(_: int) -> str | None:
        start.wait()
        return assignments.variant("ada").target_variant

    with ThreadPoolExecutor(8) as threads:
        found = set(threads.map(assign, range(8)))
    assert (len(found), s3.reads) == (1, 1)
    assert None not in found


def test_who_comes_during_the_first_read_waits_for_it() -> None:
    entered, go_on, s3 = threading.Event(), threading.Event(), S3(record())
    read = s3.get_object

    def slow(**request: Any) -> dict[str, Any]:
        entered.set()
        go_on.wait()
        return read(**request)

    s3.get_object = slow  # type: ignore[method-assign]
    assignments = assigned(s3)
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(assignments.variant, "ada")
        entered.wait()
        second = threads.submit(assignments.variant, "ada")
        # Whoever does not wait has ended by then.
        time.sleep(0.05)
        go_on.set()
    assert first.result().target_variant == second.result().target_variant
    assert second.result().target_variant is not None


class Runtime:
    """An endpoint that has lost a variant, that refuses everything, or nothing."""

    def __init__(self, code: str, *, always: bool = False, refuses: bool = True) -> None:
        self.code, self.always, self.refuses, self.requests = code, always, refuses, list[dict[str, Any]]()

    def invoke_endpoint(self, **request: Any) -> dict[str, Any]:
        self.requests.append(request)
        if self.refuses and (self.always or "TargetVariant" in request):
            raise ClientError({"Error": {"Code": self.code, "Message": "no"}}, "InvokeEndpoint")
        return {"InvokedProductionVariant": "primary"}


def test_a_variant_that_is_gone_is_not_asked_again() -> None:
    runtime = Runtime("ValidationError", always=False)
    answer = assigned(S3(record())).invoke(runtime, "ada", EndpointName="iris-production", Body=b"1,2")
    sent = runtime.requests[0]["InferenceId"]
    assert answer == {"InvokedProductionVariant": "primary", "InferenceId": sent}
    assert ["TargetVariant" in request for request in runtime.requests] == [True, False]
    assert runtime.requests[0]["InferenceId"] == runtime.requests[1]["InferenceId"]


@pytest.mark.parametrize("found", [record(), None], ids=["a test", "no test"])
def test_the_answer_names_the_id_of_the_outcome(found: dict[str, Any] | None) -> None:
    runtime = Runtime("none", refuses=False)
    answer = assigned(S3(found)).invoke(runtime, "ada", EndpointName="iris-production", Body=b"1,2")
    (request,) = runtime.requests
    assert ("TargetVariant" in request) == (found is not None)
    assert answer["InferenceId"] == request["InferenceId"]


@pytest.mark.parametrize(("code", "requests"), [("ModelError", 1), ("ValidationError", 2)])
def test_other_refusals_are_not_hidden(code: str, requests: int) -> None:
    runtime = Runtime(code, always=True)
    with pytest.raises(ClientError):
        assigned(S3(record())).invoke(runtime, "ada", EndpointName="iris-production", Body=b"1,2")
    assert len(runtime.requests) == requests
