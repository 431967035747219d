"""What a transform job cannot do is refused at synth, with AWS's reason."""

from __future__ import annotations

from typing import Any

import pytest
from configuration import found, problems_of
from hypothesis import given
from hypothesis import strategies as st

from mlops_constructs import Algorithm, BatchTransform, Dataset
from mlops_constructs.local_aws.sagemaker.transform_filters import parsed

REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "instances": ({"instance_count": 101}, "instance_count"),
    "payload": ({"max_payload_in_mb": 101}, "max_payload_in_mb"),
    "no payload": ({"max_payload_in_mb": 0}, "max_payload_in_mb"),
    "product": ({"max_payload_in_mb": 26, "max_concurrent_transforms": 4}, "max_concurrent_transforms"),
    "timeout": ({"invocations_timeout_in_seconds": 3601}, "invocations_timeout_in_seconds"),
    "retries": ({"invocations_max_retries": 4}, "invocations_max_retries"),
    "schedule": ({"schedule_expression": "daily"}, "schedule_expression"),
    "type": ({"content_type": "csv"}, "content_type"),
    "filter": ({"input_filter": "features"}, "input_filter"),
    "long filter": ({"output_filter": f"$[{'1,' * 40}1]"}, "output_filter"),
    "wildcard": ({"input_filter": "$.*"}, "input_filter"),
    "folder": ({"input_prefix": "scoring"}, "input_prefix"),
    "loop": ({"output_prefix": "scoring/out/"}, "output_prefix"),
    "join of whole files": ({"join_source": "Input", "split_type": "None"}, "split_type"),
    "variables": ({"environment": {f"V{number}": "1" for number in range(14)}}, "environment"),
    "variable": ({"environment": {"a-b": "1"}}, "environment['a-b']"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_aws_refuses_is_refused(case: str) -> None:
    arguments, field = REFUSED[case]

    assert [problem.field for problem in problems_of(BatchTransform(**arguments))] == [field]


def test_limits_themselves_are_accepted() -> None:
    largest = BatchTransform(
        instance_count=100,
        max_payload_in_mb=25,
        max_concurrent_transforms=4,
        invocations_timeout_in_seconds=3600,
        input_filter="$[1:]",
        join_source="Input",
        output_filter="$[0,-1]",
        environment={f"V{number}": "1" for number in range(13)},
    )

    assert problems_of(largest) == []


@given(st.integers(1, 100), st.integers(1, 100))
def test_the_product_of_size_and_number_is_at_most_100_mb(size: int, parallel: int) -> None:
    batch = BatchTransform(max_payload_in_mb=size, max_concurrent_transforms=parallel)

    assert bool(problems_of(batch)) is (size * parallel > 100)


@pytest.mark.parametrize("path", ["$", "$[1:]", "$[0,-1]", "$.features", "$['id','SageMakerOutput']", "$.a.['b','c']"])
def test_filters_of_the_documentation_are_accepted_here_and_by_the_local_aws(path: str) -> None:
    assert problems_of(BatchTransform(input_filter=path)) == []
    parsed(path)


@pytest.mark.parametrize("field", ["input_prefix", "output_prefix"])
@pytest.mark.parametrize("folder", ["datasets/", "datasets/scoring/", "data/"])
def test_folders_do_not_overlap_with_those_of_data_sets(field: str, folder: str) -> None:
    problems = found(batch=BatchTransform(**{field: folder}))  # type: ignore[arg-type]

    assert {problem.field for problem in problems} == {f"batch.{field}"}


def test_folders_beside_those_of_data_sets_are_accepted() -> None:
    assert found(batch=BatchTransform(), dataset=Dataset(prefix="sets/")) == []


def test_a_join_needs_the_same_type_on_both_sides() -> None:
    (problem,) = found(batch=BatchTransform(join_source="Input", accept="application/json"))

    assert problem.field == "batch.content_type"


def test_without_a_join_the_types_may_differ() -> None:
    assert found(batch=BatchTransform(accept="application/json")) == []


def test_a_join_fits_what_a_built_in_algorithm_returns() -> None:
    join = BatchTransform(join_source="Input")

    problems = found(algorithm=Algorithm.builtin("linear-learner", "1"), batch=join)

    (problem,) = [one for one in problems if one.field.startswith("batch")]
    assert problem.field == "batch.content_type"
    assert "application/json" in problem.rule
