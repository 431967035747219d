"""mlops cost, of the stack of a folder; a deployed pipeline is read in ``tests/deployed/test_costs.py``."""

from __future__ import annotations

import json
from typing import Any

import pytest
from preflight.synthesized_stacks import real

from mlops_constructs.cli.main import main


def app(program: str) -> str:
    """A command that gives the stack of a program, synthesized once."""
    return f"sh -c 'cp -r {real(program).folder.parents[1]}/. $CDKTF_OUTDIR'"


def document(capsys: pytest.CaptureFixture[str], *arguments: str, program: str = "main.py") -> dict[str, Any]:
    assert main(["cost", "--json", "--app", app(program), *arguments]) == 0
    read: dict[str, Any] = json.loads(capsys.readouterr().out)
    return read


def test_the_table_is_read_from_the_stack(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cost", "--app", app("main.py")]) == 0
    lines = [line.split("  ") for line in capsys.readouterr().out.splitlines()]
    cells = [tuple(cell.strip() for cell in line if cell.strip()) for line in lines]
    until = "a month with one release: until the decision, at most 24 h"
    assert cells[1:4] == [
        ("training", "1 x ml.m5.xlarge", "0.23", "up to 0.23", "at most 1 h"),
        ("DEV endpoint", "1 x ml.m5.large", "0.115", "up to 2.76", until),
        ("production endpoint", "2 to 4 x ml.m5.large", "0.23 to 0.46", "168 to 336", "a month"),
    ]
    assert ("together", "182 to 353", "a month, without trainings, data, notebook's volume") in cells
    assert ("AWS price list (AmazonSageMaker), 2026-09-24",) in cells


def test_the_same_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    found = document(capsys)
    assert found["region"] == "us-east-1"
    assert found["month"]["without"] == ["notebook's volume"]
    assert found["month"]["most"] == pytest.approx(0.115 * (730 * 4 + 24) + 0.05 * 8 * 730 / 24 + 0.1 * 22)


def test_an_unknown_price_is_unknown_until_it_is_given(capsys: pytest.CaptureFixture[str]) -> None:
    program = "examples/configured/main.py"
    assert "production endpoint" in document(capsys, program=program)["month"]["without"]
    found = document(capsys, "--price", "ml.c5.large=0.1", program=program)
    (row,) = [row for row in found["rows"] if row["part"] == "production endpoint"]
    assert row["amount"] == {"least": pytest.approx(219), "most": pytest.approx(876)}
    assert row["source"] == "the command's --price"


def test_a_notebook_that_does_not_run_costs_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    rows = {row["part"]: row for row in document(capsys, "--notebook-hours", "0")["rows"]}
    assert rows["notebook"]["amount"] == {"least": 0, "most": 0}


def test_of_several_pipelines_one_must_be_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cost", "--app", app("examples/training/main.py")]) == 1
    assert capsys.readouterr().err == "mlops cost: the stack has 2 pipelines; name one with --pipeline NAME\n"
    found = document(capsys, "--pipeline", "search", program="examples/training/main.py")
    assert "hyperparameter search" in [row["part"] for row in found["rows"]]


@pytest.mark.parametrize(
    "arguments",
    [["--price", "m5.large=1"], ["--price", "ml.m5.large=-1"], ["--price", "ml.x"], ["--notebook-hours", "25"]],
)
def test_a_wrong_argument_is_refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["cost", *arguments])
    assert ended.value.code == 2
    assert "must be" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"), [(["--local"], "--local needs PIPELINE"), (["churn", "--stack", "s"], "are for a stack")]
)
def test_arguments_of_the_other_way_are_refused(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["cost", *arguments]) == 1
    assert said in capsys.readouterr().err
