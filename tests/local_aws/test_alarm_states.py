"""The state of an alarm: metric math, missing data and the words of the reason."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_constructs.local_aws.cloudwatch.alarm_reasons import reason, reason_data
from mlops_constructs.local_aws.cloudwatch.alarm_states import ALARM, INSUFFICIENT, OK, Finding, judge
from mlops_constructs.local_aws.cloudwatch.expressions import ExpressionError, names_in, work_out

TREATMENTS = ("missing", "ignore", "breaching", "notBreaching")
KEPT = None
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html; the newest is last.
TABLES = {
    3: {
        "0 - X - X": (OK, OK, OK, OK),
        "- - - - 0": (OK, OK, OK, OK),
        "- - - - -": (INSUFFICIENT, KEPT, ALARM, OK),
        "0 X X - X": (ALARM, ALARM, ALARM, ALARM),
        "- - X - -": (ALARM, KEPT, ALARM, OK),
    },
    2: {
        "0 - X - X": (ALARM, ALARM, ALARM, ALARM),
        "0 0 X 0 X": (ALARM, ALARM, ALARM, ALARM),
        "0 - X - -": (OK, OK, ALARM, OK),
        "- - - - 0": (OK, OK, ALARM, OK),
        "- - - X -": (ALARM, KEPT, ALARM, OK),
    },
}
ROWS = [
    (least, shown, treated, state)
    for least, table in TABLES.items()
    for shown, states in table.items()
    for treated, state in zip(TREATMENTS, states, strict=True)
]


def alarm(**changes: Any) -> dict[str, Any]:
    plain = {"EvaluationPeriods": 3, "Threshold": 1.0, "ComparisonOperator": "GreaterThanThreshold"}
    return {**plain, **changes}


def points(shown: str) -> list[tuple[float, float | None]]:
    values: dict[str, float | None] = {"0": 0.0, "X": 2.0, "-": None}
    newest_first = list(reversed(shown.split()))
    return [(600.0 - 60 * number, values[one]) for number, one in enumerate(newest_first)]


@pytest.mark.parametrize(("least", "shown", "treated", "state"), ROWS)
def test_missing_data_is_treated_as_in_the_tables_of_aws(
    least: int, shown: str, treated: str, state: str | None
) -> None:
    assert judge(alarm(DatapointsToAlarm=least, TreatMissingData=treated), points(shown)).state == state


def test_a_breaching_point_that_is_too_new_keeps_the_state() -> None:
    assert judge(alarm(), points("- - - - X")).state is KEPT


@given(st.lists(st.sampled_from("0X"), min_size=5, max_size=5), st.integers(1, 3), st.sampled_from(TREATMENTS))
def test_with_all_data_only_the_newest_count(shown: list[str], least: int, treated: str) -> None:
    finding = judge(alarm(DatapointsToAlarm=least, TreatMissingData=treated), points(" ".join(shown)))
    assert finding.state == (ALARM if shown[-3:].count("X") >= least else OK)
    assert finding.filled == 0


@given(st.lists(st.sampled_from("0X-"), min_size=5, max_size=5), st.integers(1, 3))
def test_missing_data_that_is_not_breaching_never_rings(shown: list[str], least: int) -> None:
    found = judge(alarm(DatapointsToAlarm=least, TreatMissingData="notBreaching"), points(" ".join(shown)))
    real = [one for one in shown if one != "-"][-3:]
    assert found.state == (ALARM if real.count("X") >= least else OK)


@pytest.mark.parametrize(
    ("operator", "rings"),
    [
        ("GreaterThanThreshold", False),
        ("GreaterThanOrEqualToThreshold", True),
        ("LessThanThreshold", False),
        ("LessThanOrEqualToThreshold", True),
    ],
)
def test_the_threshold_itself(operator: str, rings: bool) -> None:
    one = alarm(EvaluationPeriods=1, ComparisonOperator=operator)
    assert judge(one, [(0.0, 1.0)]).state == (ALARM if rings else OK)


RATE = "IF(requests >= 20, 100 * FILL(errors, 0) / requests, 0)"
PERIODS = (0.0, 60.0, 120.0)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (RATE, {0.0: 10.0, 60.0: 0.0}),
        ("errors / requests", {0.0: 0.1}),
        ("1 + 2 * 3", dict.fromkeys(PERIODS, 7.0)),
        ("-(1 - 3) / 4", dict.fromkeys(PERIODS, 0.5)),
        ("requests > 20 == 1", {0.0: 1.0, 60.0: 0.0}),
        ("requests / 0", {}),
        ("IF(errors, requests, 0)", {0.0: 30.0}),
        ("FILL(errors, 0) != 3", {0.0: 0.0, 60.0: 1.0, 120.0: 1.0}),
    ],
)
def test_an_expression_is_worked_out_where_it_has_data(text: str, value: dict[float, float]) -> None:
    series = {"requests": {0.0: 30.0, 60.0: 5.0}, "errors": {0.0: 3.0}}
    assert work_out(text, series, PERIODS) == value


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("RATE(requests)", "does not implement the function RATE"),
        ("SUM([requests])", "does not know '[requests])'"),
        ("METRICS()", "does not implement the function METRICS"),
        ("other / requests", "names 'other', which is no id"),
        ("requests >= 20 && 1", "does not know '&& 1'"),
        ("IF(requests, 1)", "IF takes 3 arguments, not 2"),
        ("FILL(requests, requests)", "FILL with a number only"),
        ("requests 20", "cannot be read from '20' on"),
        ("(requests", "')' is missing"),
        ("1 +", "the end is missing"),
        ("", "the end is missing"),
    ],
)
def test_what_is_not_there_is_refused_by_name(text: str, said: str) -> None:
    with pytest.raises(ExpressionError, match=said.replace("(", r"\(").replace(")", r"\)").replace("[", r"\[")):
        work_out(text, {"requests": {0.0: 1.0}}, PERIODS)


numbers = st.integers(0, 99).map(float)


@given(numbers, numbers, numbers)
def test_arithmetic_is_that_of_python(one: float, two: float, three: float) -> None:
    found = work_out("a - b * c + a / (c + 1)", {"a": {0.0: one}, "b": {0.0: two}, "c": {0.0: three}}, PERIODS)
    assert found == {0.0: pytest.approx(one - two * three + one / (three + 1))}


def test_the_names_of_an_expression() -> None:
    assert names_in(RATE) == {"requests", "errors"}


def test_the_reasons_are_in_the_words_of_cloudwatch() -> None:
    # The first as quoted in https://github.com/aws/aws-sdk-java/issues/1723.
    quoted = alarm(EvaluationPeriods=1, Threshold=70.0, ComparisonOperator="LessThanOrEqualToThreshold")
    at = 1_534_367_700.0
    assert reason(quoted, Finding(ALARM, ((at, 6.046241709654764),), 0), ALARM) == (
        "Threshold Crossed: 1 out of the last 1 datapoints [6.046241709654764 (15/08/18 21:15:00)] was less than or "
        "equal to the threshold (70.0) (minimum 1 datapoint for OK -> ALARM transition)."
    )
    two_of_three = alarm(DatapointsToAlarm=2, TreatMissingData="notBreaching")
    finding = Finding(OK, ((at, 0.5), (at - 60, 2.0), (at - 120, 0.25)), 0)
    assert reason(two_of_three, finding, OK) == (
        "Threshold Crossed: 2 out of the last 3 datapoints [0.5 (15/08/18 21:15:00), 0.25 (15/08/18 21:13:00)] were "
        "not greater than the threshold (1.0) (minimum 2 datapoints for ALARM -> OK transition)."
    )
    assert reason(two_of_three, Finding(OK, (), 3), OK) == (
        "Threshold Crossed: no datapoints were received for 3 periods and 3 missing datapoints were treated as "
        "[NonBreaching]."
    )
    assert (
        reason(alarm(), Finding(INSUFFICIENT, (), 3), INSUFFICIENT) == "Insufficient Data: 3 datapoints were unknown."
    )
    told = json.loads(reason_data(two_of_three, finding, 60, at + 60))
    assert (told["recentDatapoints"], told["threshold"]) == ([0.25, 2.0, 0.5], 1.0)
    assert told["evaluatedDatapoints"][0] == {"timestamp": "2018-08-15T21:15:00.000+0000", "value": 0.5}
