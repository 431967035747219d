"""The notebook that compares champion and challenger is executed on looks that the judge has written."""

from __future__ import annotations

import json
import os
import random
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import nbformat
import pytest
from judge_ab_test.handler import handler
from lambdas.ab_lake import ACCURACY, BUCKET, PIPELINE, PRIMARY, SECONDARY, START, TEST, captured, reported, running
from moto.server import ThreadedMotoServer
from nbclient import NotebookClient
from rehearsal.notebook_cells import RECORD

import mlops_constructs
from handler_kit import clients
from handler_kit.ab_plan import Metric
from handler_kit.ab_record import Record, Segment
from lambdas import ab_lake

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.servers

NOTEBOOK = Path(mlops_constructs.__file__).parent / "notebooks" / "4_compare_in_production.ipynb"
HOUR = 3_600.0
CHAMPION, CHALLENGER = 0.80, 0.92
PICTURE = "image/png"
# What the panel "evidence" shows, as the last line that is printed.
DRAWN = """import json
for axes in figure.axes:
    if axes.get_ylabel() == "evidence":
        print(json.dumps({line.get_label(): [float(y) for y in line.get_ydata()] for line in axes.lines}))
"""


@pytest.fixture
def lake() -> Iterator[ab_lake.Lake]:
    with ab_lake.Lake() as lake, ab_lake.Minutes():
        clients.client("s3").create_bucket(Bucket=BUCKET)
        yield lake


@pytest.fixture
def look(
    lake: ab_lake.Lake, set_env: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> Callable[[float], dict[str, Any]]:
    """Look so many seconds after START."""
    set_env({**ab_lake.SETTINGS, "abort_function": ""})

    def at(seconds: float) -> dict[str, Any]:
        lake.now = START + seconds
        with monkeypatch.context() as patch:
            patch.setattr("time.time", lambda: START + seconds)
            return handler({}, None)

    return at


def pipeline(*variables: str) -> None:
    """The deployed pipeline, as far as a client reads it."""
    source = {
        "name": "Dataset",
        "actionTypeId": {"category": "Source", "owner": "AWS", "provider": "S3", "version": "1"},
        "configuration": {"S3Bucket": "data", "S3ObjectKey": "datasets/x", "AllowOverrideForS3ObjectKey": "true"},
        "outputArtifacts": [{"name": "DatasetObject"}],
    }
    hold = {
        "name": "Approve",
        "actionTypeId": {"category": "Approval", "owner": "AWS", "provider": "Manual", "version": "1"},
    }
    role = "mlops"
    trust = json.dumps({"Statement": [{"Principal": {"Service": "codepipeline.amazonaws.com"}}]})
    boto3.client("iam").create_role(RoleName=role, AssumeRolePolicyDocument=trust)
    boto3.client("codepipeline").create_pipeline(
        pipeline={
            "name": PIPELINE,
            "roleArn": f"arn:aws:iam::123456789012:role/{role}",
            "artifactStore": {"type": "S3", "location": BUCKET},
            "stages": [{"name": "Source", "actions": [source]}, {"name": "Approve", "actions": [hold]}],
            "variables": [{"name": name, "defaultValue": "none"} for name in variables],
        }
    )


def judged(lake: ab_lake.Lake, look: Callable[[float], dict[str, Any]]) -> list[dict[str, Any]]:
    """A test of three hours at 20 %, then three at 50 %, with a look every half hour."""
    shift = 3 * HOUR
    plan = ab_lake.plan_of(
        guardrails=[Metric(name="known", tolerance=0.05)], share=0.2, known={**ACCURACY, "measures": "accuracy"}
    )
    segments = (Segment(since=START, share=0.2, until=START + shift), Segment(since=START + shift + 1, share=0.5))
    ab_lake.write(running(plan, *segments, share=0.5))
    ab_lake.serve(primary=0.5, secondary=0.5)
    chance = random.Random(4)
    for number in range(1200):
        seconds = 18.0 * number
        is_challengers = chance.random() < (0.2 if seconds < shift else 0.5)
        slot, rate = (SECONDARY, CHALLENGER) if is_challengers else (PRIMARY, CHAMPION)
        name = f"request-{number}"
        captured(lake, name, START + seconds, slot=slot, delay=60.0)
        reported(lake, name, START + seconds + 60.0, "a" if chance.random() < rate else "b")
    return [look(HOUR / 2 * number) for number in range(1, 13)]


@pytest.fixture
def execute(tmp_path: Path) -> Iterator[Callable[..., tuple[str, list[bytes]]]]:
    """Execute the notebook as on the instance, and a cell after it; give what it printed, and its pictures."""
    home = tmp_path / "home"
    (home / "mlops-notebooks").mkdir(parents=True)
    (home / "mlops.env").write_text(f"MLOPS_PIPELINE={PIPELINE}\nMLOPS_REGION=us-east-1\n")
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()

    def run(last_cell: str = "") -> tuple[str, list[bytes]]:
        notebook = nbformat.read(NOTEBOOK, as_version=4)
        notebook.cells.insert(0, nbformat.v4.new_code_cell(RECORD.format(path=str(tmp_path / "calls"))))
        resources = {"metadata": {"path": str(home / "mlops-notebooks")}}
        notebook.cells.append(nbformat.v4.new_code_cell(last_cell))
        client = NotebookClient(notebook, kernel_name="python3", timeout=300, resources=resources)
        environment = {
            **os.environ,
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
            "IPYTHONDIR": str(tmp_path / "ipython"),
            "MPLCONFIGDIR": str(tmp_path / "matplotlib"),
            "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        }
        client.execute(env=environment)
        outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
        text = "".join(output.get("text", "") for output in outputs)
        return text, [output["data"][PICTURE] for output in outputs if PICTURE in output.get("data", {})]

    yield run
    server.stop()


def test_a_test_is_a_picture_over_time_and_a_sentence(
    lake: ab_lake.Lake,
    look: Callable[[float], dict[str, Any]],
    execute: Callable[..., tuple[str, list[bytes]]],
    tmp_path: Path,
) -> None:
    pipeline("Release", "ABTest")
    looks = judged(lake, look)
    widths = [one["metric"]["high"] - one["metric"]["low"] for one in looks if one["metric"]["low"] is not None]
    assert widths[-1] < widths[0] / 2
    assert looks[-1]["metric"]["low"] < CHALLENGER - CHAMPION < looks[-1]["metric"]["high"]
    printed, pictures = execute(DRAWN)
    drawn = json.loads(printed.splitlines()[-1])
    assert drawn["challenger is better"] == [one["evidence"]["better"] for one in looks]
    assert drawn["challenger is worse"] == [one["evidence"]["worse"] for one in looks]
    assert set(drawn["threshold"]) == {looks[0]["evidence"]["threshold"]}
    assert f"12 looks at the A/B test {TEST}, which is running." in printed
    assert looks[-1]["sentence"] in printed
    assert f"verdict: {looks[-1]['verdict']}, so: {looks[-1]['action']}" in printed
    assert len(pictures) == 1
    calls = [json.loads(line) for line in (tmp_path / "calls").read_text().splitlines()]
    assert {(service, name) for service, name, _ in calls} == {
        ("codepipeline", "GetPipeline"),
        ("s3", "ListObjectsV2"),
        ("s3", "GetObject"),
    }
    read = [params.get("Prefix", params.get("Key")) for service, _, params in calls if service == "s3"]
    assert [one for one in read if not one.startswith(f"ab/{PIPELINE}/")] == []


def test_of_a_test_that_has_ended_it_shows_what_was_said_then(
    lake: ab_lake.Lake,
    look: Callable[[float], dict[str, Any]],
    execute: Callable[..., tuple[str, list[bytes]]],
) -> None:
    pipeline("Release", "ABTest")
    last = judged(lake, look)[-1]
    ab_lake.write(ab_lake.read().ended("promoted", START + 7 * HOUR, "promoted in execution e1"))
    printed, pictures = execute()
    assert f"verdict: {last['verdict']}, when the test ended as promoted: promoted in execution e1\n" in printed
    assert f"The last look said then: {last['sentence']}\n" in printed
    assert f"so: {last['action']}" not in printed
    assert len(pictures) == 1


@pytest.mark.parametrize(
    ("variables", "record", "sentence"),
    [
        ((), None, f"{PIPELINE} has no A/B tests: give MLOpsPipeline an ABTest, and deploy it."),
        (("ABTest",), None, f"There is no A/B test of {PIPELINE} yet: the release after the first one begins one."),
        (("ABTest",), running(ab_lake.plan_of()), f"The A/B test {TEST} has no looks yet: "),
    ],
    ids=["no A/B tests", "no test", "no looks"],
)
def test_what_is_missing_is_said_in_one_sentence(
    lake: ab_lake.Lake,
    execute: Callable[..., tuple[str, list[bytes]]],
    variables: tuple[str, ...],
    record: Record | None,
    sentence: str,
) -> None:
    pipeline(*variables)
    if record is not None:
        ab_lake.write(record)
    printed, pictures = execute()
    assert printed.startswith(sentence)
    assert printed.count("\n") == 1
    assert pictures == []
