"""Time that passes as a fault: it is one clock for the whole account."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError
from local_aws.tiny_pipeline import STEP_SOURCE, Bench, action, make_function, s3_source, step

from mlops_constructs.local_aws.faults.errors import FaultError
from mlops_constructs.local_aws.faults.faults import Faults
from mlops_constructs.local_aws.local_aws import LocalAws

if TYPE_CHECKING:
    from collections.abc import Iterator

DAY = 86_400


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    with LocalAws(docker=False) as aws:
        bench = Bench(aws)
        bench.upload()
        make_function(aws, "step", STEP_SOURCE)
        yield bench


@pytest.fixture
def faults(bench: Bench) -> Iterator[Faults]:
    with Faults(bench.aws) as faults:
        yield faults


@pytest.mark.parametrize(
    ("text", "days"), [("7d", 7.0), ("36h", 1.5), ("1d12h", 1.5), ("90m", 0.0625), ("1d0h0m86400s", 2.0)]
)
def test_the_time_passes_now(bench: Bench, faults: Faults, text: str, days: float) -> None:
    before = bench.aws.clock.ahead
    fault = faults.inject(f"time:{text}:at=now")
    assert bench.aws.clock.ahead - before == pytest.approx(days * DAY, abs=5)
    assert fault.firings[0].what.startswith(
        f"the clock of the account was advanced to {bench.aws.clock.utc():%Y-%m-%d}"
    )


@pytest.mark.parametrize("text", ["", "0s", "7", "d", "-1d", "1.5d", "12h1d", "367d", "week"])
def test_what_is_no_time_is_refused(faults: Faults, text: str) -> None:
    with pytest.raises(FaultError, match=r"time (must be|is missing)"):
        faults.inject("time", text, at="now")


@pytest.mark.parametrize(("time", "status"), [("7d", "Failed"), ("6d23h", "Succeeded")])
def test_38_an_approval_is_asked_for_before_the_time_passes_and_answered_after(
    bench: Bench, faults: Faults, time: str, status: str
) -> None:
    name = f"asked-{status.lower()}"
    fault = faults.inject(f"time:{time}:at=Approve")
    execution = bench.make_pipeline(name, [s3_source()], [action("Approve", "Manual", {})])
    token = bench.approval_token(name)
    if status == "Failed":
        with pytest.raises(ClientError, match="ApprovalAlreadyCompletedException"):
            bench.answer(name, token, "Approved")
    else:
        bench.answer(name, token, "Approved")
    assert bench.finished(name, execution) == status
    assert fault.fired == 1


def test_time_passes_before_another_action_runs(bench: Bench, faults: Faults) -> None:
    fault = faults.inject("time:1h:at=One")
    execution = bench.make_pipeline("other", [s3_source()], [step("One", {})])
    assert bench.finished("other", execution) == "Succeeded"
    assert fault.fired == 1


def test_two_that_advance_the_clock_at_once_add_up(bench: Bench) -> None:
    before = bench.aws.clock.ahead
    threads = [threading.Thread(target=bench.aws.clock.advance, kwargs={"days": 1}) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert bench.aws.clock.ahead - before == pytest.approx(4 * DAY, abs=5)
