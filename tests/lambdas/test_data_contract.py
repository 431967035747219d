"""A data contract is checked before any training cost, and what breaks it is named by file, line and column."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from check_dataset.contract import Column, Contract, merge, parse_contract
from lambdas.lake import IRIS, Lake, make_lake

from handler_kit.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable

SPECIES = {"name": "species", "allowed_values": ["setosa", "versicolor", "virginica"]}
LENGTH = {"name": "length", "type": "number", "min_value": 0, "max_value": 10}
COUNT = {"name": "count", "type": "integer", "nullable": True}
COLUMNS = {"columns": [SPECIES, LENGTH, COUNT]}
GOOD = b"setosa,5.1,3\nversicolor,7.0,\nvirginica,6.3,NaN\n"


@pytest.fixture
def lake(
    load_event: Callable[..., dict[str, Any]],
    set_env: Callable[..., None],
    write_document: Callable[[object], None],
) -> Lake:
    return make_lake(load_event, set_env, write_document)


def declare(lake: Lake, set_env: Callable[..., None], contract: dict[str, Any]) -> None:
    """What Dataset(contract=...) uploads."""
    lake.s3.put_object(Bucket="artifacts", Key="contracts/dataset.json", Body=json.dumps(contract).encode())
    set_env({"contract_key": "contracts/dataset.json"})


def test_data_that_holds_the_contract_is_taken(lake: Lake, reports: Any, set_env: Callable[..., None]) -> None:
    declare(lake, set_env, COLUMNS)
    lake.check_new("datasets/a.csv", GOOD)
    assert reports.outputs["Channels"] == "train"


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"setosa,5.1,3\nvirginica,x,3\n", "line 2, column 2 (length): 'x' is not a number"),
        (b"setosa,5.1,3\nvirginica,,3\n", "line 2, column 2 (length): the value is missing ('')"),
        (b"setosa,5.1,3\nvirginica,NaN,3\n", "line 2, column 2 (length): the value is missing ('NaN')"),
        (b"setosa,5.1,3\nvirginica,inf,3\n", "line 2, column 2 (length): 'inf' is not finite"),
        (b"setosa,5.1,3\nvirginica,-1,3\n", "line 2, column 2 (length): -1 is below the minimum 0"),
        (b"setosa,5.1,3\nvirginica,11,3\n", "line 2, column 2 (length): 11 is above the maximum 10"),
        (b"setosa,5.1,3\nvirginica,1,3.5\n", "line 2, column 3 (count): '3.5' is not an integer"),
        (b"setosa,5.1,3\nrosa,1,3\n", "line 2, column 1 (species): 'rosa' is not one of 'setosa', 'versicolor'"),
        (b"setosa,5.1\nvirginica,1\n", "line 1: 2 columns, but the contract has 3 (species, length, count)"),
        (b"species,length,count\nsetosa,1,3\nvirginica,1,3\n", "line 1: looks like a header"),
        (b'setosa,5.1,3\n"virginica,1,3\n', "line 2: a quote that opens here is not closed"),
        (b"setosa,5.1,3\rvirginica,1,3\r", "line 1: a carriage return within the line"),
        ("setosa,5.1,3\n".encode("utf-16"), "line 1, column 1: a NUL byte"),
    ],
)
def test_bad_data_is_refused_by_file_line_and_column(
    lake: Lake, reports: Any, set_env: Callable[..., None], content: bytes, problem: str
) -> None:
    declare(lake, set_env, COLUMNS)
    version = lake.put("datasets/a.csv", content)
    lake.check("datasets/a.csv", version)
    assert reports.message.startswith(f"s3://data/datasets/a.csv (version {version}), {problem}")
    assert reports.kind == "ConfigurationError"
    assert lake.pinned().keys() == {"contracts/dataset.json"}


def test_each_column_tells_its_first_fault_and_how_many_follow(
    lake: Lake, reports: Any, set_env: Callable[..., None]
) -> None:
    declare(lake, set_env, COLUMNS)
    lake.check_new("datasets/a.csv", b"setosa,1,3\nvirginica,x,y\nvirginica,y,3\nsetosa,z,1\n")
    assert "column 2 (length): 'x' is not a number (and 2 more); s3://" in reports.message
    assert reports.message.endswith("line 2, column 3 (count): 'y' is not an integer")


def test_the_validation_channel_is_checked_too(lake: Lake, reports: Any, set_env: Callable[..., None]) -> None:
    declare(lake, set_env, COLUMNS)
    lake.put("data/train.csv", GOOD)
    lake.put("data/validation.csv", b"setosa,99,3\n")
    channels = {"train": ["data/train.csv"], "validation": ["data/validation.csv"]}
    lake.check_new("datasets/a.json", {"channels": channels})
    assert "validation.csv" in reports.message
    assert "99 is above the maximum 10" in reports.message


def test_a_header_is_compared_and_left_out_of_the_golden_records(
    lake: Lake, reports: Any, set_env: Callable[..., None]
) -> None:
    declare(lake, set_env, {**COLUMNS, "header": True})
    lake.check_new("datasets/a.csv", b"species,length,count\n" + GOOD)
    golden = reports.outputs["GoldenUri"].removeprefix("s3://artifacts/")
    assert lake.pinned()[golden].startswith(b"setosa,5.1,3\n")


@pytest.mark.parametrize(
    ("header", "problem"),
    [
        (b"species,width,count\n", "line 1, column 2: must be 'length', but the header says 'width'"),
        (b"species,length\n", "line 1, column 3: must be 'count', but there is none"),
        (b"species,length,count,more\n", "line 1: 4 columns, but the contract has 3"),
    ],
)
def test_a_wrong_header_is_refused_by_column(
    lake: Lake, reports: Any, set_env: Callable[..., None], header: bytes, problem: str
) -> None:
    declare(lake, set_env, {**COLUMNS, "header": True})
    lake.check_new("datasets/a.csv", header + GOOD)
    assert problem in reports.message


def test_golden_records_have_the_label_first(lake: Lake, reports: Any, set_env: Callable[..., None]) -> None:
    declare(lake, set_env, {"columns": [LENGTH, SPECIES], "label": "species"})
    lake.check_new("datasets/a.csv", b"5.1,setosa\n7.0,virginica\n")
    golden = reports.outputs["GoldenUri"].removeprefix("s3://artifacts/")
    assert lake.pinned()[golden] == b"setosa,5.1\nvirginica,7.0\n"


def test_too_few_rows_are_refused(lake: Lake, reports: Any, set_env: Callable[..., None]) -> None:
    declare(lake, set_env, {"min_rows": 4})
    lake.check_new("datasets/a.csv", IRIS)
    assert reports.message.endswith("only 3 rows; a training set needs at least 4")


def test_a_rare_class_is_refused_by_name_and_share(lake: Lake, reports: Any, set_env: Callable[..., None]) -> None:
    declare(lake, set_env, {"columns": [SPECIES, LENGTH], "min_class_share": 0.1})
    lake.check_new("datasets/a.csv", b"setosa,1\n" * 95 + b"virginica,2\n" * 5)
    assert "column 1 (species): the class 'virginica' has 5 of 100 rows (5.00%)" in reports.message
    assert "requires at least 10.00%" in reports.message


def test_a_balanced_label_is_taken(lake: Lake, reports: Any, set_env: Callable[..., None]) -> None:
    declare(lake, set_env, {"columns": [SPECIES, LENGTH], "min_class_share": 0.1})
    lake.check_new("datasets/a.csv", b"setosa,1\n" * 90 + b"virginica,2\n" * 10)
    assert reports.outputs["Channels"] == "train"


def test_a_quantity_has_no_class_balance(lake: Lake, reports: Any, set_env: Callable[..., None]) -> None:
    declare(lake, set_env, {"min_class_share": 0.1})
    lake.check_new("datasets/a.csv", b"".join(b"%d,1\n" % number for number in range(1500)))
    assert "more than 1000 different labels" in reports.message


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b'{"species": "setosa", "length": "x"}\n', 'line 1, column 2 (length): "x" is not a number'),
        (b'{"species": "setosa"}\n', "line 1, column 2 (length): the value is missing"),
        (b'{"species": "setosa", "length": 1, "odd": 2}\n', "line 1: the contract has no column odd"),
        (b'{"species": "setosa", "length": true}\n', "line 1, column 2 (length): true is not a number"),
        (b'{"species": 3, "length": 1}\n', "line 1, column 1 (species): 3 is not a string"),
        (b"1\n", "line 1: must be a JSON object or list"),
        (b"[1]\n", "line 1: 1 columns, but the contract has 2"),
        (b"\n{\n", "line 2: not JSON"),
    ],
)
def test_bad_json_lines_are_refused_by_line_and_column(
    lake: Lake, reports: Any, set_env: Callable[..., None], content: bytes, problem: str
) -> None:
    declare(lake, set_env, {"columns": [SPECIES, LENGTH]})
    lake.check_new("datasets/a.jsonl", content)
    assert problem.replace('"x"', "'x'") in reports.message


def test_good_json_lines_are_taken_without_golden_records(
    lake: Lake, reports: Any, set_env: Callable[..., None]
) -> None:
    declare(lake, set_env, {"columns": [SPECIES, LENGTH]})
    lake.check_new("datasets/a.jsonl", b'{"species": "setosa", "length": 1}\n{"length": 2, "species": "virginica"}\n')
    assert reports.outputs["GoldenUri"] == "none"


def test_parquet_is_not_looked_into_and_the_summary_says_so(
    lake: Lake, reports: Any, set_env: Callable[..., None]
) -> None:
    declare(lake, set_env, COLUMNS)
    lake.check_new("datasets/a.parquet", b"PAR1PAR1" + b"\0" * 4 + b"PAR1")
    assert "1 object not inspected: no tables" in (reports.only("success")["executionDetails"]["summary"])


def test_a_contract_lies_beside_its_object(lake: Lake, reports: Any) -> None:
    lake.put("datasets/a.csv.contract.json", {"columns": [SPECIES, {**LENGTH, "max_value": 5}]})
    lake.check_new("datasets/a.csv", b"setosa,1\nvirginica,6\n")
    assert "line 2, column 2 (length): 6 is above the maximum 5" in reports.message


def test_a_manifest_names_its_contract(lake: Lake, reports: Any) -> None:
    lake.put("data/train.csv", b"setosa,1\nvirginica,6\n")
    lake.put("data/contract.json", {"columns": [SPECIES, {**LENGTH, "max_value": 5}]})
    lake.check_new("datasets/a.json", {"channels": {"train": ["data/train.csv"]}, "contract": "data/contract.json"})
    assert "column 2 (length)" in reports.message


def test_a_contract_of_the_data_cannot_loosen_that_of_the_pipeline(
    lake: Lake, reports: Any, set_env: Callable[..., None]
) -> None:
    declare(lake, set_env, {"columns": [SPECIES, LENGTH]})
    lake.put("datasets/a.csv.contract.json", {"columns": [SPECIES, {**LENGTH, "max_value": 1000}]})
    lake.check_new("datasets/a.csv", b"setosa,1\nvirginica,600\n")
    assert "600 is above the maximum 10" in reports.message


def test_a_contract_is_no_data_set(lake: Lake, reports: Any) -> None:
    lake.check_new("datasets/a.csv.contract.json", {"columns": []})
    assert "a data contract, not a data set" in reports.message


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ([], "the contract must be an object"),
        ({"rows": 3}, "unknown field rows"),
        ({"columns": {}}, "columns must be a list"),
        ({"columns": [{"type": "number"}]}, r"columns\[0\] has no name"),
        ({"columns": [{"name": "a", "type": "date"}]}, "type must be one of string, number, integer, boolean"),
        ({"columns": [{"name": "a", "min_value": 1}]}, "only a number or an integer can have min_value"),
        ({"columns": [{"name": "a", "allowed_values": []}]}, "allowed_values must be a list with at least one value"),
        ({"columns": [{"name": "a"}, {"name": "a"}]}, "two columns have the same name"),
        ({"columns": [{"name": "a"}], "label": "b"}, "label 'b' is not one of columns"),
        ({"header": True}, "header needs columns"),
        ({"min_rows": 0}, "min_rows must be a whole number"),
        ({"min_class_share": 0.6}, "min_class_share must be a number from 0 to 0.5"),
    ],
)
def test_a_malformed_contract_is_refused_with_its_fault(value: Any, problem: str) -> None:
    with pytest.raises(ConfigurationError, match=f"^here: not a valid data contract: .*{problem}"):
        parse_contract(json.dumps(value), "here")


def test_two_contracts_hold_together() -> None:
    team = Contract((Column("a", "number", 0, 10, None, True),), min_rows=5)
    own = Contract((Column("a", "number", None, 5, None, False),), min_class_share=0.2)
    merged = merge(team, own, "here")
    assert merged == Contract((Column("a", "number", 0, 5, None, False),), False, None, 5, 0.2)


@pytest.mark.parametrize(
    ("columns", "problem"),
    [
        ((Column("b", "number"),), "its columns, header or label differ"),
        ((Column("a", "integer"),), "column a is integer, but number"),
    ],
)
def test_contracts_that_nothing_could_hold_are_refused(columns: tuple[Column, ...], problem: str) -> None:
    with pytest.raises(ConfigurationError, match=problem):
        merge(Contract((Column("a", "number"),)), Contract(columns), "here")


def test_the_same_content_is_trained_again_unless_told_otherwise(lake: Lake, reports: Any) -> None:
    lake.check_new("datasets/a.csv", IRIS)
    lake.remember(reports.outputs["Sha256"])
    lake.check_new("datasets/b.csv", IRIS)
    assert len(reports.requests["PutJobSuccessResult"]) == 2


def test_the_same_content_is_refused_by_checksum_whatever_its_name(
    lake: Lake, reports: Any, set_env: Callable[..., None]
) -> None:
    set_env({"duplicates": "refuse"})
    lake.check_new("datasets/a.csv", IRIS)
    lake.remember(reports.outputs["Sha256"])
    lake.check_new("datasets/b.csv", IRIS)
    (failure,) = reports.requests["PutJobFailureResult"]
    message = failure["failureDetails"]["message"]
    assert message.startswith("Execution earlier has trained on the same content (SHA-256 ")
    assert ") and created arn:package." in message


def test_what_another_pipeline_with_the_same_bucket_trained_is_no_duplicate(
    lake: Lake, reports: Any, set_env: Callable[..., None]
) -> None:
    set_env({"duplicates": "refuse"})
    lake.check_new("datasets/a.csv", IRIS)
    lake.remember(reports.outputs["Sha256"], pipeline="flowers-4d5e6f")
    lake.check_new("datasets/b.csv", IRIS)
    assert len(reports.requests["PutJobSuccessResult"]) == 2


def test_an_execution_may_check_again_what_it_has_trained_itself(
    lake: Lake, reports: Any, set_env: Callable[..., None]
) -> None:
    set_env({"duplicates": "refuse"})
    lake.check_new("datasets/a.csv", IRIS)
    lake.remember(reports.outputs["Sha256"], execution_id=lake.execution)
    lake.check_new("datasets/a.csv", IRIS)
    assert len(reports.requests["PutJobSuccessResult"]) == 2


def test_the_same_content_is_skipped_by_stopping_the_execution(
    lake: Lake, reports: Any, set_env: Callable[..., None]
) -> None:
    lake.check_new("datasets/a.csv", IRIS)
    lake.remember(reports.outputs["Sha256"])
    before = lake.pinned().keys()
    set_env({"duplicates": "skip"})
    reports.answer("StopPipelineExecution", pipelineExecutionId=lake.execution)
    lake.check_new("datasets/b.csv", IRIS)
    (stopped,) = reports.requests["StopPipelineExecution"]
    assert stopped["pipelineName"] == "iris-1a2b3c"
    assert stopped["pipelineExecutionId"] == lake.execution
    assert "Execution earlier has trained on the same content" in stopped["reason"]
    assert lake.pinned().keys() == before


def told(lake: Lake, reports: Any, version: str, execution: str, trigger: str = "CloudWatchEvent") -> None:
    """An execution that an event of this upload has started."""
    found = {"status": "InProgress", "trigger": {"triggerType": trigger}}
    reports.answer("GetPipelineExecution", pipelineExecution=found)
    reports.answer("StopPipelineExecution", pipelineExecutionId=execution)
    lake.check("datasets/a.csv", version, execution_id=execution)


OTHER = "4f2b9c1e-7d54-4a8e-9c61-0b5d2e8f4a17"


def test_01_an_upload_that_is_told_twice_trains_once(lake: Lake, reports: Any) -> None:
    version = lake.put("datasets/a.csv", IRIS)
    told(lake, reports, version, lake.execution)
    told(lake, reports, version, OTHER)
    (stopped,) = reports.requests["StopPipelineExecution"]
    assert stopped["pipelineExecutionId"] == OTHER
    assert stopped["reason"].startswith(f"The same upload has started execution {lake.execution}")
    assert not [key for key in lake.pinned() if OTHER in key]


def test_an_upload_is_checked_again_where_its_stage_is_retried(lake: Lake, reports: Any) -> None:
    version = lake.put("datasets/a.csv", IRIS)
    told(lake, reports, version, lake.execution)
    told(lake, reports, version, lake.execution)
    assert reports.requests["StopPipelineExecution"] == []


def test_two_uploads_of_the_same_content_train_twice(lake: Lake, reports: Any) -> None:
    told(lake, reports, lake.put("datasets/a.csv", IRIS), lake.execution)
    told(lake, reports, lake.put("datasets/a.csv", IRIS), OTHER)
    assert reports.requests["StopPipelineExecution"] == []


def test_a_person_may_train_an_upload_again(lake: Lake, reports: Any) -> None:
    version = lake.put("datasets/a.csv", IRIS)
    told(lake, reports, version, lake.execution)
    told(lake, reports, version, OTHER, trigger="StartPipelineExecution")
    assert reports.requests["StopPipelineExecution"] == []
