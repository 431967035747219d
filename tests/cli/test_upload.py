"""`mlops upload` and `mlops start`: files first, manifest last, and no wrong input that ends in silence."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from local_aws.tiny_pipeline import DATA, STEP_SOURCE, Bench, make_function, s3_source, step, wait_for
from patience import PATIENCE_SECONDS

from mlops_constructs.cli.main import main
from mlops_constructs.deployed.data_plan import plan_set
from mlops_constructs.deployed.datasets import upload_objects
from mlops_constructs.local_aws.credentials import ACCESS_KEY_ID, SECRET_ACCESS_KEY
from mlops_constructs.local_aws.local_aws import LocalAws

if TYPE_CHECKING:
    from collections.abc import Iterator

PIPELINE = "iris"


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    """A pipeline that uploads to `datasets/` start, as the construct makes it."""
    with LocalAws() as aws:
        bench = Bench(aws)
        make_function(aws, "step", STEP_SOURCE)
        bench.s3.put_bucket_notification_configuration(
            Bucket=DATA, NotificationConfiguration={"EventBridgeConfiguration": {}}
        )
        bench.finished(
            PIPELINE,
            bench.make_pipeline(PIPELINE, [s3_source(S3ObjectKey="datasets/manifest.json")], [step("One", {})]),
        )
        bench.make_pipeline("other", [step_source()], [step("One", {})])
        events = aws.client("events")
        detail = {"bucket": {"name": [DATA]}, "object": {"key": [{"prefix": "datasets/"}]}}
        events.put_rule(Name="uploads", EventPattern=json.dumps({"source": ["aws.s3"], "detail": detail}))
        revision = '{"actionName": "Dataset", "revisionType": "%s", "revisionValue": <%s>}'
        parts = ", ".join([revision % ("S3_OBJECT_KEY", "key"), revision % ("S3_OBJECT_VERSION_ID", "version")])
        target = {
            "Id": "only",
            "Arn": f"arn:aws:codepipeline:us-east-1:{aws.account_id}:{PIPELINE}",
            "RoleArn": bench.events_role,
            "InputTransformer": {
                "InputPathsMap": {"key": "$.detail.object.key", "version": "$.detail.object.version-id"},
                "InputTemplate": '{"sourceRevisions": [' + parts + "]}",
            },
        }
        events.put_targets(Rule="uploads", Targets=[target])
        yield bench


def step_source() -> dict[str, Any]:
    """A source that is no data set's."""
    return s3_source(AllowOverrideForS3ObjectKey="false", S3ObjectKey="templates.zip")


@pytest.fixture(autouse=True)
def _environment(bench: Bench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, value in environment(bench).items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)


def environment(bench: Bench) -> dict[str, str]:
    return {
        "AWS_ENDPOINT_URL": bench.aws.url,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": ACCESS_KEY_ID,
        "AWS_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY,
    }


def read(bench: Bench, key: str) -> bytes:
    body: bytes = bench.s3.get_object(Bucket=DATA, Key=key)["Body"].read()
    return body


def told(capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    found: dict[str, str] = json.loads(capsys.readouterr().out)
    return found


def test_one_file_is_a_data_set_and_its_execution_is_told(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    Path("iris.csv").write_bytes(b"a,1\nb,2\n")
    assert main(["upload", PIPELINE, "iris.csv", "--json"]) == 0
    facts = told(capsys)
    assert (facts["pipeline"], facts["bucket"], facts["key"]) == (PIPELINE, DATA, "datasets/iris.csv")
    assert bench.finished(PIPELINE, facts["execution_id"]) == "Succeeded"
    assert bench.variables(PIPELINE, facts["execution_id"], "Dataset")["VersionId"] == facts["version_id"]


@pytest.fixture
def gathering(bench: Bench) -> Iterator[None]:
    """Uploads start nothing: the rule for them is disabled, as with `Dataset(start_on_upload=False)`."""
    events = bench.aws.client("events")
    events.disable_rule(Name="uploads")
    pattern = events.describe_rule(Name="uploads")["EventPattern"]
    events.put_rule(Name=f"{PIPELINE}-on-upload", EventPattern=pattern, State="DISABLED")
    yield
    events.delete_rule(Name=f"{PIPELINE}-on-upload")
    events.enable_rule(Name="uploads")


@pytest.mark.usefixtures("gathering")
def test_where_uploads_start_nothing_nothing_is_waited_for(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    Path("gathered.csv").write_bytes(b"a,1\n")
    known = bench.executions(PIPELINE)
    assert main(["upload", PIPELINE, "gathered.csv"]) == 0
    assert "uploads start no execution of iris; --start does, and so does `mlops start`" in capsys.readouterr().out
    assert read(bench, "datasets/gathered.csv") == b"a,1\n"
    assert bench.executions(PIPELINE) == known


@pytest.mark.usefixtures("gathering")
def test_where_uploads_start_nothing_a_person_may(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    Path("gathered.csv").write_bytes(b"b,2\n")
    assert main(["upload", PIPELINE, "gathered.csv", "--start", "--json"]) == 0
    facts = told(capsys)
    assert bench.finished(PIPELINE, facts["execution_id"]) == "Succeeded"
    assert bench.variables(PIPELINE, facts["execution_id"], "Dataset")["VersionId"] == facts["version_id"]


def test_many_files_are_named_by_a_manifest_with_their_versions(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("train.csv", "v.csv", "golden.csv", "contract.json"):
        Path(name).write_text(f"{name}\n")
    arguments = [
        "upload",
        PIPELINE,
        "train.csv",
        "validation=v.csv",
        "--golden",
        "golden.csv",
        "--contract",
        "contract.json",
    ]
    assert main([*arguments, "--name", "set", "--json"]) == 0
    assert told(capsys)["key"] == "datasets/set.json"
    manifest = json.loads(read(bench, "datasets/set.json"))
    keys = {name: [one["key"] for one in entries] for name, entries in manifest["channels"].items()}
    assert keys == {"train": ["data/set/train/train.csv"], "validation": ["data/set/validation/v.csv"]}
    assert manifest["golden"]["key"] == "data/set/golden.csv"
    assert manifest["contract"]["key"] == "data/set/contract.json"
    for entry in (*manifest["channels"]["train"], manifest["golden"]):
        found = bench.s3.get_object(Bucket=DATA, Key=entry["key"], VersionId=entry["version_id"])
        assert found["Body"].read().decode().strip() == Path(entry["key"]).name


def test_folders_and_patterns_keep_their_folders(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("pets/cat/0.png", "pets/dog/0.png", "pets/dog/.DS_Store", "more/a 1/ü.csv", 'more/b/".csv'):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(name)
    assert main(["upload", PIPELINE, "train=pets/", "validation=more/*/*.csv", "--json"]) == 0
    manifest = json.loads(read(bench, told(capsys)["key"]))
    keys = {
        name: [one["key"].removeprefix(channel["prefix"]) for one in channel["objects"]]
        for name, channel in manifest["channels"].items()
    }
    assert keys == {"train": ["cat/0.png", "dog/0.png"], "validation": ["a 1/ü.csv", 'b/".csv']}
    assert manifest["channels"]["train"]["prefix"] == "data/pets/train/"
    assert read(bench, "data/pets/validation/a 1/ü.csv").decode() == "more/a 1/ü.csv"


def test_a_folder_of_channels_is_a_data_set(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("set/train.csv", "set/test/cat/0.png", "set/golden.csv", "set/contract.json"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(name)
    assert main(["upload", PIPELINE, "set", "--json"]) == 0
    manifest = json.loads(read(bench, told(capsys)["key"]))
    assert manifest["channels"]["train"][0]["key"] == "data/set/train/train.csv"
    assert manifest["channels"]["test"]["objects"][0]["key"] == "data/set/test/cat/0.png"
    assert {name: manifest[name]["key"] for name in ("golden", "contract")} == {
        "golden": "data/set/golden.csv",
        "contract": "data/set/contract.json",
    }


def test_the_manifest_is_uploaded_last(bench: Bench) -> None:
    Path("train.csv").write_bytes(b"a,1\n")
    Path("validation.csv").write_bytes(b"a,1\n")
    assert main(["upload", PIPELINE, "train.csv", "validation.csv", "--name", "order"]) == 0
    times = {
        key: bench.s3.head_object(Bucket=DATA, Key=key)["LastModified"]
        for key in ("data/order/train/train.csv", "data/order/validation/validation.csv", "datasets/order.json")
    }
    assert max(times.values()) == times["datasets/order.json"]


def test_what_was_started_is_told_to_people_too(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    Path("iris.csv").write_bytes(b"a,1\nb,2\n")
    assert main(["upload", PIPELINE, "iris.csv"]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith(f"s3://{DATA}/datasets/iris.csv, version ")
    assert second.startswith("started execution ")


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ([PIPELINE, "none.csv"], "none.csv does not exist"),
        ([PIPELINE, "none/*.csv"], "no file matches none/*.csv"),
        ([PIPELINE, "empty.csv"], "empty.csv is empty"),
        ([PIPELINE, "folder"], "folder is empty; a folder must have a file or folder for each channel"),
        ([PIPELINE, "train=folder"], "the folder folder is empty"),
        ([PIPELINE, "pictures"], "there is no channel train, only cat, dog; name one with train=PATH"),
        ([PIPELINE, "a b=a.csv"], "'a b' cannot be the name of a channel"),
        ([PIPELINE, "train="], "train= must be CHANNEL=PATH"),
        ([PIPELINE, "a.csv", "b.csv"], "there is no channel train, only a, b"),
        ([PIPELINE, "train=a.csv", "train=x/a.csv"], "two files of a channel have the same name"),
        ([PIPELINE, "a.csv", "m.json"], "m.json is a manifest or a trainingjob.zip by its name: upload it alone"),
        ([PIPELINE, "a.csv", "--golden", "none.csv"], "the file none.csv does not exist"),
        ([PIPELINE, "a.csv", "--objects-prefix", "data"], "--objects-prefix must end with '/'"),
        ([PIPELINE, "a.csv", "--name", "x/y"], "--name must be a name without '/'"),
        ([PIPELINE, "a.csv", "--wait", "-1"], "--wait must be 0 or more"),
        (["none", "a.csv"], "the pipeline 'none' does not exist in this account and region; existing: iris, other"),
        (["other", "a.csv"], "the pipeline other takes no data sets"),
    ],
)
def test_wrong_input_uploads_nothing(
    bench: Bench, capsys: pytest.CaptureFixture[str], arguments: list[str], problem: str
) -> None:
    for name in ("folder", "x", "pictures/cat", "pictures/dog"):
        Path(name).mkdir(parents=True)
        Path(name, "0.png").write_bytes(b"0")
    Path("folder/0.png").rename("folder/.hidden")
    Path("empty.csv").touch()
    for name in ("a.csv", "b.csv", "m.json", "x/a.csv"):
        Path(name).write_text("{}")
    before = bench.s3.list_object_versions(Bucket=DATA)["Versions"]
    assert main(["upload", *arguments]) == 1
    error = capsys.readouterr().err
    assert error.startswith("mlops upload: ")
    assert problem in error
    assert bench.s3.list_object_versions(Bucket=DATA)["Versions"] == before


def test_an_upload_that_starts_nothing_fails_with_what_may_be_the_matter(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("iris.csv").write_bytes(b"a,1\n")
    bench.aws.client("events").disable_rule(Name="uploads")
    try:
        assert main(["upload", PIPELINE, "iris.csv", "--wait", "0.1"]) == 1
    finally:
        bench.aws.client("events").enable_rule(Name="uploads")
    error = capsys.readouterr().err
    assert "has not started iris within 0.1 s" in error
    assert "EventBridge" in error


def test_an_upload_whose_event_is_lost_is_started_when_asked(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    Path("iris.csv").write_bytes(b"a,1\n")
    bench.aws.client("events").disable_rule(Name="uploads")
    try:
        assert main(["upload", PIPELINE, "iris.csv", "--wait", "0.1", "--start", "--json"]) == 0
    finally:
        bench.aws.client("events").enable_rule(Name="uploads")
    facts = told(capsys)
    assert bench.finished(PIPELINE, facts["execution_id"]) == "Succeeded"
    assert bench.variables(PIPELINE, facts["execution_id"], "Dataset")["VersionId"] == facts["version_id"]


def test_a_long_wait_is_explained(
    bench: Bench, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mlops_constructs.cli.upload._USUAL_SECONDS", 0.1)
    Path("iris.csv").write_bytes(b"a,1\n")
    bench.aws.client("events").disable_rule(Name="uploads")
    try:
        assert main(["upload", PIPELINE, "iris.csv", "--wait", "0.2"]) == 1
    finally:
        bench.aws.client("events").enable_rule(Name="uploads")
    note, error = capsys.readouterr().err.splitlines()
    assert note.startswith("No execution yet after 0.1 s, waiting up to 0.2 s. S3 tells EventBridge of uploads only")
    assert f"mlops start {PIPELINE} --key datasets/iris.csv --version-id " in error


def test_without_credentials_or_region_the_reason_is_one_sentence(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("iris.csv").write_bytes(b"a,1\n")
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    assert main(["upload", PIPELINE, "iris.csv"]) == 1
    told = "the client of codepipeline could not be made: You must specify a region; give --region, or set"
    assert capsys.readouterr().err == f"mlops upload: {told} AWS_DEFAULT_REGION\n"


def test_a_name_that_no_request_can_have_is_told_in_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    Path("iris.csv").write_bytes(b"a,1\n")
    assert main(["upload", "", "iris.csv"]) == 1
    (told,) = capsys.readouterr().err.splitlines()
    assert "Invalid length for parameter name, value: 0, valid min length: 1" in told


def test_an_unreachable_aws_is_told(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    assert main(["start", PIPELINE, "--key", "datasets/iris.csv"]) == 1
    assert "Could not connect" in capsys.readouterr().err


def test_ctrl_c_in_the_middle_says_that_nothing_has_started(bench: Bench, tmp_path: Path) -> None:
    for name in ("train.csv", "validation.csv"):
        with (tmp_path / name).open("wb") as file:
            file.truncate(400_000_000)
    before = len(bench.executions(PIPELINE))
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "mlops_constructs",
            "upload",
            PIPELINE,
            "train.csv",
            "validation.csv",
            "--name",
            "stopped",
        ],
        cwd=tmp_path,
        env={**os.environ, **environment(bench)},
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_for(lambda: bench.s3.list_multipart_uploads(Bucket=DATA).get("Uploads"))
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 130
    assert "the data set is incomplete, so nothing has started" in error
    assert "Traceback" not in error
    time.sleep(0.5)
    assert len(bench.executions(PIPELINE)) == before
    assert "Uploads" not in bench.s3.list_multipart_uploads(Bucket=DATA)


def test_ctrl_c_among_many_small_files_writes_no_manifest(bench: Bench, tmp_path: Path) -> None:
    for number in range(100):
        (tmp_path / f"{number}.png").write_bytes(b"x")

    def interrupt(_name: str, _count: int, _size: int) -> None:
        raise KeyboardInterrupt

    objects = plan_set("small", {"train": [tmp_path]})
    with pytest.raises(KeyboardInterrupt):
        upload_objects(bench.s3, DATA, "datasets/small.json", objects, advance=interrupt)
    keys = {one["Key"] for one in bench.s3.list_objects_v2(Bucket=DATA)["Contents"]}
    assert "datasets/small.json" not in keys
    assert not keys.issuperset(one.key for one in objects)


def test_ctrl_c_while_it_waits_says_that_the_data_set_starts_by_itself(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "late.csv").write_text("a,1\n")
    bench.aws.client("events").disable_rule(Name="uploads")
    try:
        process = subprocess.Popen(
            [sys.executable, "-m", "mlops_constructs", "upload", PIPELINE, "late.csv"],
            cwd=tmp_path,
            env={**os.environ, **environment(bench)},
            stderr=subprocess.PIPE,
            text=True,
        )
        wait_for(lambda: bench.s3.list_objects_v2(Bucket=DATA, Prefix="datasets/late.csv").get("Contents"))
        time.sleep(1)
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=PATIENCE_SECONDS)
    finally:
        bench.aws.client("events").enable_rule(Name="uploads")
    assert process.returncode == 130
    assert f"interrupted; s3://{DATA}/datasets/late.csv is uploaded and will start {PIPELINE}" in error
    assert "Traceback" not in error


def test_a_person_starts_on_a_chosen_version(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    old = bench.upload(b"old,1\n", "datasets/twice.csv")
    new = bench.upload(b"new,1\n", "datasets/twice.csv")
    for arguments, version in ((["--version-id", old], old), ([], new)):
        assert main(["start", PIPELINE, "--key", "datasets/twice.csv", *arguments, "--json"]) == 0
        facts = told(capsys)
        assert facts["version_id"] == version
        bench.finished(PIPELINE, facts["execution_id"])
        assert bench.variables(PIPELINE, facts["execution_id"], "Dataset")["VersionId"] == version


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ([PIPELINE, "--key", "datasets/none.csv"], f"the object s3://{DATA}/datasets/none.csv does not exist"),
        ([PIPELINE, "--key", "elsewhere.csv"], "does not begin with datasets/"),
        ([PIPELINE, "--key", "datasets/zero.csv"], "is empty (0 bytes)"),
        (["none", "--key", "datasets/a.csv"], "the pipeline 'none' does not exist"),
    ],
)
def test_a_wrong_start_is_refused(
    bench: Bench, capsys: pytest.CaptureFixture[str], arguments: list[str], problem: str
) -> None:
    bench.upload(b"", "datasets/zero.csv")
    assert main(["start", *arguments]) == 1
    assert problem in capsys.readouterr().err


def test_start_without_a_key_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(["start", PIPELINE])
    assert exit_.value.code == 2
    assert "--key" in capsys.readouterr().err
