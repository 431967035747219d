"""The rules of a data set: what is refused, by field and with a remedy, beside what is taken."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Any

import pytest
from configuration import problems_of
from hypothesis import assume, given
from hypothesis import strategies as st
from moto.events.models import EventPattern

from mlops_constructs import Column, DataContract, Dataset, EndpointLimits, Requests, TrainingLimits
from mlops_constructs.config.schedule import schedule_problems
from mlops_constructs.stages.trigger import upload_pattern

TOKEN = "${TfToken[TOKEN.7]}"


def told(dataset: Any) -> list[str]:
    return [str(problem) for problem in problems_of(dataset)]


@pytest.mark.parametrize(
    "dataset",
    [
        Dataset(),
        Dataset(prefix="a/b/", suffix=".csv", schedule_expression="rate(1 day)", duplicates="skip"),
        Dataset(prefix="churn/", suffix=".json", objects_prefix="churn/data/"),
        Dataset.from_bucket("team-data", requests=Requests()),
        Dataset.from_bucket(TOKEN, kms_key_arn=TOKEN, input_buckets=[TOKEN]),
        Dataset.from_bucket("team-data", prefix="data/", manage_notifications=True),
        Dataset(contract=DataContract(columns=[Column(name="a", type="number", min_value=0)], label="a", header=True)),
    ],
    ids=range(7),
)
def test_a_right_data_set_has_no_problems(dataset: Dataset) -> None:
    assert told(dataset) == []


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"prefix": "datasets"}, "prefix: must be a folder that ends in '/', got 'datasets'"),
        ({"prefix": "/datasets/"}, "prefix: must be a folder"),
        ({"prefix": "a*/"}, "prefix: must be a folder"),
        ({"prefix": TOKEN}, "prefix: must be known at synth"),
        ({"prefix": "data/"}, "objects_prefix: must not be in prefix ('data/')"),
        ({"prefix": "data/sets/"}, "prefix: must not be in objects_prefix ('data/')"),
        ({"prefix": "churn/", "objects_prefix": "churn/data/"}, "objects_prefix: must not be in prefix ('churn/')"),
        ({"objects_prefix": "data"}, "objects_prefix: must be a folder"),
        ({"suffix": "*.csv"}, "suffix: must have 1 to 99 letters"),
        ({"suffix": ""}, "suffix: must have 1 to 99 letters"),
        ({"suffix": TOKEN}, "suffix: must be known at synth"),
        ({"max_megabytes": 0}, "max_megabytes: must be 1 to 5000000 MB"),
        ({"max_inspected_megabytes": 1001}, "max_inspected_megabytes: must be 1 to 1000 MB"),
        (
            {"requests": Requests(training=TrainingLimits(instance_types="ml.m5.large"))},
            "requests.training.instance_types: must be a list, got 'ml.m5.large'",
        ),
        (
            {"requests": Requests(dev=EndpointLimits(instance_types=["m5"]))},
            "requests.dev.instance_types[0]: must look like 'ml.<family>.<size>'",
        ),
        (
            {"requests": Requests(production=EndpointLimits(min_instance_count=3, max_instance_count=2))},
            "requests.production.max_instance_count: must be at least min_instance_count (3)",
        ),
        (
            {"requests": Requests(training=TrainingLimits(max_runtime_in_seconds=82_801))},
            "requests.training.max_runtime_in_seconds: must be 60 to 82800 s",
        ),
        (
            {"requests": Requests(), "suffix": ".csv"},
            "requests: needs a suffix that 'trainingjob.zip' has, not '.csv'",
        ),
        ({"duplicates": "ignore"}, "duplicates: must be 'allow', 'refuse' or 'skip', got 'ignore'"),
        ({"schedule_expression": "daily"}, "schedule_expression: must be a rate or cron expression"),
        ({"kms_key_arn": "arn"}, "kms_key_arn: is only for an existing bucket"),
        ({"manage_notifications": True}, "manage_notifications: is only for an existing bucket"),
        ({"bucket_name": "arn:aws:s3:::team"}, "bucket_name: must be the name of a bucket, not an ARN or URI"),
        ({"bucket_name": "s3://team"}, "bucket_name: must be the name of a bucket"),
        (
            {"bucket_name": "Team_1"},
            "bucket_name: must have 3 to 63 lower-case letters, digits, '.' and '-', as S3 requires",
        ),
        ({"bucket_name": "team-x1y2z3-s3alias"}, "bucket_name: must be the name of a general purpose bucket"),
        ({"bucket_name": "192.168.5.4"}, "bucket_name: must have 3 to 63 lower-case letters"),
        ({"input_buckets": ["s3://x"]}, "input_buckets[0]: must be the name of a bucket"),
        ({"input_buckets": "team"}, "input_buckets: must be a list, got 'team'"),
        ({"contract": DataContract(min_rows=0)}, "contract.min_rows: must be 1 to"),
    ],
)
def test_a_wrong_data_set_is_refused_by_field(options: dict[str, Any], problem: str) -> None:
    (found,) = told(Dataset(**options))
    assert problem in found


@pytest.mark.parametrize(
    ("contract", "problem"),
    [
        (DataContract(columns=[Column(name="")]), "columns[0].name: must be a non-empty string"),
        (DataContract(columns=[Column(name=TOKEN)]), "columns[0].name: must be known at synth"),
        (
            DataContract(columns=[Column(name="a", type="date")]),  # type: ignore[arg-type]
            "columns[0].type: must be 'string', 'number', 'integer' or 'boolean', got 'date'",
        ),
        (DataContract(columns=[Column(name="a", min_value=1)]), "columns[0].min_value: is only for a number"),
        (
            DataContract(columns=[Column(name="a", type="number", max_value=float("nan"))]),
            "columns[0].max_value: must be a finite number",
        ),
        (
            DataContract(columns=[Column(name="a", type="integer", min_value=2, max_value=1)]),
            "columns[0].min_value: must be at most max_value (1), got 2",
        ),
        (DataContract(columns=[Column(name="a", allowed_values="abc")]), "columns[0].allowed_values: must be a list"),
        (DataContract(columns=[Column(name="a"), Column(name="a")]), "columns: must not repeat a column name, got 'a'"),
        (
            DataContract(columns=[Column(name="a")], label="b"),
            "label: must be the name of a column in columns, got 'b'",
        ),
        (DataContract(header=True), "header: needs columns"),
        (DataContract(min_class_share=0.6), "min_class_share: must be 0.0 to 0.5, got 0.6"),
    ],
)
def test_a_wrong_contract_is_refused_by_field(contract: DataContract, problem: str) -> None:
    (found,) = told(contract)
    assert problem in found


def test_all_mistakes_are_told_together() -> None:
    assert len(told(Dataset(prefix="a", suffix="*", schedule_expression="x", duplicates="y"))) == 4  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "expression",
    ["rate(1 minute)", "rate(5 minutes)", "rate(12 hours)", "cron(0 6 ? * MON-FRI *)", "cron(0/5 8 1 * ? 2026-2030)"],
)
def test_an_expression_of_eventbridge_is_taken(expression: str) -> None:
    assert list(schedule_problems("schedule", expression)) == []


@pytest.mark.parametrize(
    ("expression", "rule"),
    [
        ("rate(1 days)", "rate or cron"),
        ("rate(2 day)", "rate or cron"),
        ("rate(0 days)", "rate or cron"),
        ("every day", "rate or cron"),
        ("cron(0 6 * * *)", "6 fields"),
        ("cron(0 6 * * * *)", "'?' as exactly one"),
        ("cron(0 6 ? * ? *)", "'?' as exactly one"),
        (TOKEN, "known at synth"),
    ],
)
def test_another_expression_is_refused_with_the_rule(expression: str, rule: str) -> None:
    (problem,) = schedule_problems("schedule", expression)
    assert rule in problem.rule


_NAME = st.text(st.sampled_from("abc.-_/"), max_size=8)


@given(prefix=st.sampled_from(["a/", "a/b/", "c.d/"]), suffix=st.sampled_from([None, ".csv", "b", "a-b.c"]), key=_NAME)
def test_03_an_upload_starts_the_pipeline_if_and_only_if_prefix_and_suffix_fit(
    prefix: str, suffix: str | None, key: str
) -> None:
    whole = prefix + key if len(key) % 2 else key
    end = "" if suffix is None else suffix
    # A wildcard's two ends may not share letters, which no folder and suffix do.
    assume(len(whole) >= len(prefix) + len(end) or not (whole.startswith(prefix) and whole.endswith(end)))
    pattern = upload_pattern(Dataset(prefix=prefix, suffix=suffix), "bucket")
    event = {
        "source": "aws.s3",
        "detail-type": "Object Created",
        "detail": {"bucket": {"name": "bucket"}, "object": {"key": whole, "size": 3}},
    }
    matched = EventPattern("", pattern).matches_event(event)  # type: ignore[arg-type]
    assert matched == (whole.startswith(prefix) and whole.endswith(end)) == fnmatchcase(whole, f"{prefix}*{end}")
    event["detail"]["object"]["size"] = 0  # type: ignore[index]
    assert not EventPattern("", pattern).matches_event(event)  # type: ignore[arg-type]
