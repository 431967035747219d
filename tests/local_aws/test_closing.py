"""The end of a local AWS: nothing of it stays behind."""

from __future__ import annotations

import os
import threading
import time

import pytest
from local_aws.tiny_pipeline import STEP_SOURCE, Bench, action, make_function, s3_source, step, wait_for
from patience import PATIENCE_SECONDS

from mlops_constructs.local_aws.local_aws import LocalAws

SLEEPER = """
import os, subprocess, sys, time


def handler(event, context):
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    print("children", os.getpid(), child.pid, flush=True)
    open(os.path.join(os.environ["HOME"], "pids"), "w").write(f"{os.getpid()} {child.pid}")
    time.sleep(600)
"""


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_waiting_approvals_and_polling_jobs_end_within_seconds() -> None:
    with LocalAws() as aws:
        bench = Bench(aws)
        bench.upload()
        make_function(aws, "step", STEP_SOURCE)
        approve = action("Approve", "Manual", {})
        bench.make_pipeline("open", [s3_source()], [approve, step("Polls", {"turns": 999})])
        bench.approval_token("open")
        workdir = aws.workdir
        begun = time.monotonic()
    # The approval waits for days, and the job polls for as long.
    assert time.monotonic() - begun < PATIENCE_SECONDS
    assert not workdir.exists()


def test_handler_and_its_own_children_are_killed() -> None:
    with LocalAws() as aws:
        make_function(aws, "sleeper", SLEEPER, Timeout=600)
        aws.client("lambda").invoke(FunctionName="sleeper", InvocationType="Event", Payload=b"{}")
        noted = aws.workdir / "pids"
        pids = [int(pid) for pid in wait_for(lambda: noted.exists() and noted.read_text()).split()]
    for pid in pids:
        wait_for(lambda pid=pid: gone(pid))  # type: ignore[misc]


def test_what_is_still_being_written_does_not_stay() -> None:
    with LocalAws() as aws:
        workdir, closing, began = aws.workdir, aws.account.closing, threading.Event()

        def unpack() -> None:
            began.set()
            closing.wait()
            time.sleep(1.5)  # the moment that a busy machine needs
            (workdir / "lambda" / "late").mkdir(parents=True)

        thread = aws.account.spawn("unpacking", unpack)
        assert began.wait(PATIENCE_SECONDS)
    thread.join()
    assert not workdir.exists()


def test_closing_twice_is_fine_and_another_can_start() -> None:
    first = LocalAws().start()
    first.close()
    first.close()
    with LocalAws(port=first.port) as second:
        assert second.url == first.url
        assert second.client("sts").get_caller_identity()["Account"] == second.account_id


def test_start_wipes_what_an_earlier_one_held() -> None:
    with LocalAws() as aws:
        aws.client("s3").create_bucket(Bucket="leftover")
    with LocalAws() as aws:
        assert aws.client("s3").list_buckets()["Buckets"] == []


@pytest.mark.parametrize("name", ["AWS_PROFILE", "AWS_ENDPOINT_URL_S3", "HTTP_PROXY"])
def test_clients_are_blind_to_the_users_environment(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "http://127.0.0.1:9")
    with LocalAws() as aws:
        assert aws.client("s3").list_buckets()["Buckets"] == []
