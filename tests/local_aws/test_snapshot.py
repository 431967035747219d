"""A local AWS goes on where the one before has ended, with the snapshot that was taken of it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from local_aws.endpoint_models import BUCKET, Models, variant
from local_aws.tiny_container import push_container, wait_until, write_container
from local_aws.tiny_pipeline import STEP_SOURCE, Bench, action, make_function, s3_source, step
from patience import PATIENCE_SECONDS

from mlops_constructs.local_aws.errors import LocalAwsError
from mlops_constructs.local_aws.local_aws import LocalAws
from mlops_constructs.local_aws.scratch import ScratchFolder, sweep
from mlops_constructs.local_aws.snapshot import file as snapshot_file
from mlops_constructs.local_aws.snapshot.files import copy_new, delete_old
from mlops_constructs.local_aws.snapshot.folder import KeptFolder, forget, found, unused
from mlops_constructs.local_aws.snapshot.saver import Saver

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder))
    return folder


@contextmanager
def running(folder: KeptFolder, port: int = 0, *, resumed: bool = False) -> Iterator[LocalAws]:
    """A local AWS, saved in a folder from its start to its end; or the one that was saved there."""
    scratch = None
    if resumed:
        scratch = ScratchFolder("local-aws-", Path(snapshot_file.read_about(folder.file)["workdir"]))
        copy_new(folder.files, scratch.path)
    aws = LocalAws(port=port, docker=False, folder=scratch)
    aws.start(snapshot_file.read(folder.file) if resumed else None)
    saver = Saver(aws, folder, {"port": aws.port})
    saver.start()
    try:
        yield aws
        saver.close(finish=True)
        folder.is_kept = True
    finally:
        saver.close(finish=False)
        aws.close()
        folder.close()


def again(folder: KeptFolder) -> KeptFolder:
    return KeptFolder(folder.file.parent)


def test_everything_is_there_again(tmp_path: Path) -> None:
    folder = KeptFolder()
    with running(folder) as aws:
        aws.client("s3").create_bucket(Bucket=BUCKET)
        models = Models(aws, push_container(aws, write_container(tmp_path / "container")))
        name = models.endpoint(models.config(variant(models.model("kept"), InitialInstanceCount=2)))
        assert models.settled(name)["EndpointStatus"] == "InService"
        weights = [{"VariantName": "primary", "DesiredWeight": 0.5, "DesiredInstanceCount": 3}]
        models.sagemaker.update_endpoint_weights_and_capacities(EndpointName=name, DesiredWeightsAndCapacities=weights)
        models.settled(name)
        key = aws.client("kms").create_key(Description="a key")["KeyMetadata"]["KeyId"]
        cipher = aws.client("kms").encrypt(KeyId=key, Plaintext=b"text")["CiphertextBlob"]
        queue = aws.client("sqs").create_queue(QueueName="q")["QueueUrl"]
        aws.client("sqs").send_message(QueueUrl=queue, MessageBody="m")
        aws.client("ssm").put_parameter(Name="/p", Value="v", Type="String")
        function = make_function(aws, "step", "def handler(event, context):\n    return event['n'] + 1\n")
        before = models.sagemaker.describe_endpoint(EndpointName=name)
        port = aws.port

    with running(again(folder), port, resumed=True) as aws:
        resumed = object.__new__(Models)
        resumed.aws, resumed.sagemaker = aws, aws.client("sagemaker")
        assert resumed.answer(name)["answer"] == "kept"
        after = resumed.sagemaker.describe_endpoint(EndpointName=name)
        for one in (before, after):
            del one["ResponseMetadata"], one["ProductionVariants"][0]["DeployedImages"]
        assert after == before
        assert aws.client("kms").decrypt(CiphertextBlob=cipher)["Plaintext"] == b"text"
        assert aws.client("sqs").receive_message(QueueUrl=queue)["Messages"][0]["Body"] == "m"
        assert aws.client("ssm").get_parameter(Name="/p")["Parameter"]["Value"] == "v"
        answer = aws.client("lambda").invoke(FunctionName=function, Payload=b'{"n": 1}')["Payload"].read()
        assert json.loads(answer) == 2


def test_an_execution_asks_for_its_approval_again_and_those_that_waited_follow() -> None:
    folder = KeptFolder()
    with running(folder) as aws:
        bench = Bench(aws)
        bench.upload()
        make_function(aws, "step", STEP_SOURCE)
        first = bench.make_pipeline("p", [s3_source()], [action("Approve", "Manual", {})], [step("One", {})])
        old = bench.approval_token("p")
        second = bench.start("p")
        port = aws.port

    with running(again(folder), port, resumed=True) as aws:
        bench = object.__new__(Bench)
        bench.aws, bench.codepipeline, bench.s3 = aws, aws.client("codepipeline"), aws.client("s3")
        token = bench.approval_token("p")
        assert token != old
        bench.answer("p", token, "Approved")
        assert bench.finished("p", first) == "Succeeded"
        bench.answer("p", wait_until(lambda: bench.approval_token("p")), "Rejected")
        assert bench.finished("p", second) == "Failed"


def test_nothing_is_saved_while_something_is_in_progress() -> None:
    folder = KeptFolder()
    with running(folder) as aws:
        make_function(aws, "slow", "import time\ndef handler(event, context):\n    time.sleep(600)\n", Timeout=300)
        saver = Saver(aws, folder, {})
        assert wait_until(saver.save)
        aws.client("lambda").invoke(FunctionName="slow", InvocationType="Event")
        aws.client("ssm").put_parameter(Name="/p", Value="v", Type="String")
        assert wait_until(lambda: aws.account.working()[0] == ["lambda-slow"])
        assert not saver.save()


# Saves again and again; the numbers of the parameters show which snapshot it is.
SAVING = """
import time
from pathlib import Path
from mlops_constructs.local_aws.local_aws import LocalAws
from mlops_constructs.local_aws.snapshot.folder import KeptFolder
from mlops_constructs.local_aws.snapshot.saver import Saver
folder = KeptFolder()
with LocalAws(docker=False) as aws:
    saver = Saver(aws, folder, {"port": aws.port})
    aws.client("s3").create_bucket(Bucket="big")
    aws.client("s3").put_object(Bucket="big", Key="k", Body=bytes(10_000_000))
    for number in range(10_000):
        aws.client("ssm").put_parameter(Name="/n", Value=str(number), Type="String", Overwrite=True)
        while not saver.save():
            time.sleep(0.01)
        print(folder.file, flush=True)
"""


def test_a_process_that_is_killed_while_it_saves_leaves_a_whole_snapshot() -> None:
    with subprocess.Popen([sys.executable, "-c", SAVING], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        new = next(iter(found())) / "snapshot.new"
        wait_until(new.exists)
        process.send_signal(signal.SIGKILL)
        process.wait(PATIENCE_SECONDS)
    ((home, about),) = found().items()
    sweep()
    with running(KeptFolder(home), about["port"], resumed=True) as aws:
        assert int(aws.client("ssm").get_parameter(Name="/n")["Parameter"]["Value"]) >= 0
        assert aws.client("s3").head_object(Bucket="big", Key="k")["ContentLength"] == 10_000_000


@pytest.fixture
def kept() -> KeptFolder:
    """A folder with a snapshot, that no process uses."""
    folder = KeptFolder()
    snapshot_file.write(folder.file, b"snapshot", {"port": 1})
    folder.is_kept = True
    folder.close()
    return folder


def changed(file: Path, **changes: Any) -> None:
    """Write the head of a snapshot anew."""
    magic, head, snapshot = file.read_bytes().split(b"\n", 2)
    file.write_bytes(b"\n".join([magic, json.dumps(json.loads(head) | changes).encode(), snapshot]))


@pytest.mark.parametrize("damage", ["empty", "garbage", "truncated", "flipped"])
def test_a_damaged_snapshot_is_refused(kept: KeptFolder, damage: str) -> None:
    whole = kept.file.read_bytes()
    texts = {"empty": b"", "garbage": os.urandom(400), "truncated": whole[:-1], "flipped": whole[:-1] + b"?"}
    assert snapshot_file.read(kept.file) == b"snapshot"
    kept.file.write_bytes(texts[damage])
    with pytest.raises(LocalAwsError, match="is damaged"):
        snapshot_file.read(kept.file)


@pytest.mark.parametrize("member", ["library", "code", "moto", "python"])
def test_a_snapshot_of_other_code_is_refused(kept: KeptFolder, member: str) -> None:
    changed(kept.file, writer={**json.loads(kept.file.read_bytes().split(b"\n")[1])["writer"], member: "9.9.9"})
    with pytest.raises(LocalAwsError, match=r"was written by mlops-constructs .*9\.9\.9.*, and this is mlops"):
        snapshot_file.read(kept.file)


def test_a_writer_that_is_not_known_is_other_code(kept: KeptFolder) -> None:
    changed(kept.file, writer={"library": "1"})
    with pytest.raises(LocalAwsError, match="was written by another version, and this is mlops"):
        snapshot_file.read(kept.file)


def test_a_folder_has_one_user_at_a_time(kept: KeptFolder) -> None:
    one = again(kept)
    assert unused() == []
    with pytest.raises(LocalAwsError, match="another process uses"):
        again(kept)
    forget(kept.file.parent)
    assert kept.file.exists()
    one.close()
    assert unused() == [kept.file.parent]
    forget(kept.file.parent)
    assert not kept.file.exists()


def test_a_folder_without_a_snapshot_goes_with_its_process() -> None:
    folder = KeptFolder()
    folder.is_kept = True
    folder.close()
    assert not folder.file.parent.exists()


def test_nothing_is_told_of_what_is_damaged(kept: KeptFolder) -> None:
    assert list(found().values()) == [{"port": 1}]
    kept.file.write_bytes(b"")
    assert list(found().values()) == [{}]


def test_other_code_has_another_digest(monkeypatch: pytest.MonkeyPatch) -> None:
    now = snapshot_file.this_code()
    assert now == snapshot_file.this_code() != replace(now, code="0")


def test_a_folder_that_is_gone_is_a_problem_and_not_the_end() -> None:
    folder = KeptFolder()
    with LocalAws(docker=False) as aws:
        saver, said = Saver(aws, folder, {}), list[str]()
        aws.add_listener(said.append)
        folder.close()
        assert wait_until(saver.save)
        assert "No such file or directory" in saver.problem
        assert said == [f"the local AWS cannot be saved: {saver.problem}"]
        assert saver.saved == 0


def test_a_copy_of_files_follows_its_source(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    for name in ("images/a/tree/file", "images/b/file", "lambda/f.py", "endpoints/e/file"):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_text(name)
    (source / "images/a/link").symlink_to("tree/file")
    (source / "lambda/f.py").chmod(0o755)
    copy_new(source, target)
    assert (target / "images/a/link").read_text() == "images/a/tree/file"
    assert (target / "images/a/link").is_symlink()
    assert (target / "lambda/f.py").stat().st_mode & 0o777 == 0o755
    assert not (target / "endpoints").exists()

    (source / "lambda/f.py").write_text("changed")
    shutil.rmtree(source / "images/b")
    copy_new(source, target)
    assert (target / "lambda/f.py").read_text() == "changed"
    assert (target / "images/b/file").exists()
    delete_old(source, target)
    assert not (target / "images/b").exists()
    assert (target / "images/a/tree/file").exists()
