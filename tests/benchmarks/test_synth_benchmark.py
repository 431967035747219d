"""The synth benchmark: its baseline is equal to main.py, its numbers are right; how fast anything is, no test says."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import pytest
from synth_benchmark import cold, growth, imports, lambdas, rehearsal, warm
from synth_benchmark.baseline import program_of
from synth_benchmark.collect import collect
from synth_benchmark.docs_page import DOCS, page, write_docs
from synth_benchmark.document import comparable
from synth_benchmark.errors import BenchmarkError
from synth_benchmark.numbers import at_least, at_most, median, ratios
from synth_benchmark.picture import svg
from synth_benchmark.processes import environment, run
from synth_benchmark.programs import BENCHMARKS, OURS, PLAIN_JAVASCRIPT, PLAIN_PYTHON
from synth_benchmark.report import lines
from synth_benchmark.source_text import javascript_source, python_source

if TYPE_CHECKING:
    from pathlib import Path

MACHINE = {
    "processors": 2,
    "python": "3.11.7",
    "node": "24.1.0",
    "cdktf": "0.21.0",
    "cdktf-cdktf-provider-aws": "20.1.0",
}
WARM = {
    "seconds": {OURS: [1.0, 2.0, 1.0], PLAIN_PYTHON: [12.0, 22.0, 15.0], PLAIN_JAVASCRIPT: [2.0, 3.0, 1.0]},
    "equal": {PLAIN_PYTHON: True, PLAIN_JAVASCRIPT: True},
    "resources": 107,
    "left_out": {},
}
COLD = {
    "seconds": {
        OURS: {"first": [4.0], "second": [3.0], "third": [1.0]},
        PLAIN_PYTHON: {"first": [16.0], "second": [2.0], "third": [12.0]},
    }
}
GROWTH = {
    "sizes": {
        "1": [{"pipelines": [0.5], "synth": 0.1, "megabytes": {"python": 80, "node": 200}}],
        "50": [{"pipelines": [0.2] * 40 + [0.3] * 10, "synth": 2.0, "megabytes": {"python": 120, "node": 300}}],
    }
}


def document(**results: dict[str, Any]) -> dict[str, Any]:
    """Give what a run with these parts writes."""
    parts = {name: {"machine": MACHINE, "rounds": 3, "result": result} for name, result in results.items()}
    return {"parts": parts, "failed": {}}


@pytest.fixture(scope="module")
def synthesized(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What main.py synthesizes."""
    work = tmp_path_factory.mktemp("main")
    run([sys.executable, "main.py"], environment(work, CDKTF_OUTDIR=str(work / "out")))
    found: dict[str, Any] = json.loads((work / "out/stacks/iris/cdk.tf.json").read_text(encoding="utf-8"))
    return found


def made_again(source: str, work: Path) -> dict[str, Any]:
    """Run a plain program, with the provider's root made lazy so that the test is quick; give its document."""
    # The program itself is as ordinary as can be: only what it stands behind differs.
    (work / "plain.py").write_text(f"import mlops_constructs.provider\n{source}", encoding="utf-8")
    run([sys.executable, work / "plain.py"], environment(work, CDKTF_OUTDIR=str(work / "out")))
    (file,) = (work / "out" / "stacks").glob("*/cdk.tf.json")
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return found


def test_the_plain_program_synthesizes_what_main_py_synthesizes(synthesized: dict[str, Any], tmp_path: Path) -> None:
    again = made_again(python_source(program_of(synthesized)), tmp_path)
    assert comparable(again) == comparable(synthesized)
    assert sum(map(len, again["resource"].values())) > 50


def test_a_plain_program_of_another_document_is_not_equal(synthesized: dict[str, Any], tmp_path: Path) -> None:
    other = json.loads(json.dumps(synthesized))
    next(iter(other["resource"]["aws_sns_topic"].values()))["display_name"] = "another"
    again = made_again(python_source(program_of(other)), tmp_path)
    assert comparable(again) != comparable(synthesized)


def test_the_plain_program_uses_nothing_of_this_library(synthesized: dict[str, Any]) -> None:
    program = program_of(synthesized)
    # The notebook's start script names it, as text.
    assert "import mlops_constructs" not in python_source(program)
    assert "from mlops_constructs" not in python_source(program)
    assert "add_override" not in python_source(program)
    assert "from cdktf_cdktf_provider_aws.s3_bucket import S3Bucket\n" in python_source(program)
    assert 'const aws = require("@cdktf/provider-aws");' in javascript_source(program)


def test_javascript_has_its_own_names_for_arguments_and_nested_blocks(synthesized: dict[str, Any]) -> None:
    source = javascript_source(program_of(synthesized))
    assert "new aws.s3Bucket.S3Bucket(" in source
    assert "deadLetterConfig: {targetArn: " in source
    assert "dead_letter_config" not in source


def test_the_generator_refuses_blocks_that_it_does_not_know(synthesized: dict[str, Any]) -> None:
    with pytest.raises(BenchmarkError, match="blocks locals, moved"):
        program_of({**synthesized, "moved": [], "locals": {}})


def test_the_generator_refuses_arguments_that_the_bindings_do_not_have(synthesized: dict[str, Any]) -> None:
    other = json.loads(json.dumps(synthesized))
    next(iter(other["resource"]["aws_sns_topic"].values()))["colour"] = "red"
    with pytest.raises(BenchmarkError, match="SnsTopic has no argument for colour"):
        program_of(other)


def test_metadata_is_not_compared_and_everything_else_is() -> None:
    one = {"resource": {"a": {"x": {"//": {"path": "here"}, "tags": [{"//": 1, "k": "v"}]}}}}
    other = {"resource": {"a": {"x": {"//": {"path": "there"}, "tags": [{"k": "v"}]}}}}
    assert comparable(one) == comparable(other)
    other["resource"]["a"]["x"]["tags"] = [{"k": "w"}]
    assert comparable(one) != comparable(other)


def test_a_ratio_is_that_of_one_round() -> None:
    assert ratios([10.0, 40.0], [1.0, 2.0]) == [10.0, 20.0]
    assert median([3.0, 1.0, 10.0]) == 3.0
    with pytest.raises(ValueError, match="zip"):
        ratios([1.0], [1.0, 2.0])


@pytest.mark.parametrize(("ratio", "met"), [(10.0, True), (9.99, False), (None, None)])
def test_at_least_is_met_from_its_bound_on(ratio: float | None, met: bool | None) -> None:
    assert at_least("x", ratio, 10).met is met


@pytest.mark.parametrize(("ratio", "met"), [(1.5, True), (1.51, False), (None, None)])
def test_at_most_is_met_up_to_its_bound(ratio: float | None, met: bool | None) -> None:
    assert at_most("x", ratio, 1.5).met is met


def test_warm_targets_take_the_median_of_the_rounds_ratios() -> None:
    plain, javascript = warm.targets(WARM)
    assert (plain.measured, plain.met) == ("12.00x", True)
    assert (javascript.measured, javascript.met) == ("0.67x", True)


def test_a_baseline_that_is_not_equal_does_not_count() -> None:
    unequal = {**WARM, "equal": {PLAIN_PYTHON: False, PLAIN_JAVASCRIPT: True}}
    plain, javascript = warm.targets(unequal)
    assert (plain.met, javascript.met) == (None, True)
    assert "NOT EQUAL" in warm.table(unequal).notes[0]


def test_without_npm_the_other_ratio_still_stands() -> None:
    seconds = {side: WARM["seconds"][side] for side in (OURS, PLAIN_PYTHON)}
    reasons = {PLAIN_JAVASCRIPT: "npm is missing"}
    without = {**WARM, "seconds": seconds, "equal": {PLAIN_PYTHON: True}, "left_out": reasons}
    plain, javascript = warm.targets(without)
    assert (plain.met, javascript.met) == (True, None)
    assert f"{PLAIN_JAVASCRIPT} is left out: npm is missing" in warm.table(without).notes


def test_each_cold_run_has_its_own_target() -> None:
    assert [target.met for target in cold.targets(COLD)] == [True, False, True]


def test_growth_compares_the_last_ten_with_the_first_ten() -> None:
    (target,) = growth.targets(GROWTH)
    assert (target.measured, target.met) == ("1.50x", False)
    # The first pipeline loads the bindings; one slow pipeline of ten does not move the median.
    assert growth.growth([5.0, *[0.2] * 49]) == 1.0


def test_growth_without_proc_shows_no_memory() -> None:
    found = {"sizes": {"1": [{"pipelines": [0.5], "synth": 0.1, "megabytes": None}]}}
    assert growth.table(found).rows[0][3:] == ("not measured", "not measured")


def test_import_is_measured_over_a_bare_python_and_must_not_start_jsii() -> None:
    seconds = {imports.BARE: [0.02, 0.03], imports.LIBRARY: [0.10, 0.11]}
    assert [target.met for target in imports.targets({"seconds": seconds, "imported": []})] == [True, True]
    slow = {**seconds, imports.LIBRARY: [0.2, 0.2]}
    assert [target.met for target in imports.targets({"seconds": slow, "imported": ["jsii"]})] == [False, False]


def test_lambdas_are_shown_against_boto3() -> None:
    found = {"bytes": {"train_model": 2048}, "seconds": {"boto3": [0.2, 0.4], "train_model": [0.3, 0.6]}}
    assert lambdas.table(found).rows == [
        ("import boto3", "", "0.300 s", "1.00x"),
        ("train_model", "2.0 KiB", "0.450 s", "1.50x"),
    ]


def test_what_no_phase_has_is_compared_with_all_that_is_not_terraform() -> None:
    phases = {"Terraform init": 10.0, "Terraform apply": 50.0, "ML pipeline": 35.0}
    found = {"runs": [{"total": 98.0, "phases": phases}, {"total": 100.0, "phases": phases}]}
    assert [(target.measured, target.met) for target in rehearsal.targets(found)] == [("8%", True), ("12%", False)]


def test_a_part_that_cannot_run_says_why_and_the_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> Any:
        raise BenchmarkError("no network")

    monkeypatch.setattr(warm, "measure", fail)
    monkeypatch.setattr(imports, "measure", lambda *_: {"seconds": {}, "imported": []})
    found = collect(["warm", "import"], 1)
    assert found["failed"] == {"warm": "no network"}
    assert list(found["parts"]) == ["import"]
    assert "warm could not be measured: no network" in lines({**document(), "failed": found["failed"]})


def test_equal_numbers_give_an_equal_picture_and_others_another() -> None:
    first = svg(document(warm=WARM, cold=COLD, growth=GROWTH))
    assert first == svg(document(warm=WARM, cold=COLD, growth=GROWTH))
    assert first != svg(document(warm={**WARM, "resources": 108}, cold=COLD, growth=GROWTH))
    assert "12.00 s" not in first
    assert "15.00 s" in first


def test_a_second_run_of_some_parts_keeps_the_others_in_the_docs(tmp_path: Path) -> None:
    write_docs(document(warm=WARM), tmp_path)
    write_docs(document(growth=GROWTH), tmp_path)
    text = (tmp_path / "benchmarks.md").read_text(encoding="utf-8")
    assert "| plain Python | 15.00 s | 12.00x |" in text
    assert "Two shared cores, Python 3.11.7" in text
    assert "| missed |" in text
    assert (tmp_path / "benchmarks.svg").read_text(encoding="utf-8") == svg(document(warm=WARM, growth=GROWTH))


def test_the_docs_are_those_of_their_numbers() -> None:
    numbers = json.loads((DOCS / "benchmarks.json").read_text(encoding="utf-8"))
    assert (DOCS / "benchmarks.md").read_text(encoding="utf-8") == page(numbers)
    assert set(numbers["parts"]) >= {"warm", "cold", "growth", "import", "lambdas"}


def test_growth_counts_each_pipeline_and_both_processes(tmp_path: Path) -> None:
    environ = environment(tmp_path, PYTHONPATH=str(BENCHMARKS), CDKTF_OUTDIR=str(tmp_path / "out"))
    found = json.loads(run([sys.executable, "-m", "synth_benchmark.growth_app", "2"], environ))
    assert len(found["pipelines"]) == 2
    assert min(found["megabytes"].values()) > 0
