"""What the registry shows of a metric is what the program said: no text, list or object looks like a number."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from evaluate_model.evaluate import judge
from evaluate_model.rules import Rule
from hypothesis import given
from hypothesis import strategies as st
from register_model.report import parse_report

from handler_kit import registry

RULE = Rule("accuracy", 0.9, None, None)


def recorded(value: object) -> str:
    """The registry's text of what an evaluation program wrote as accuracy."""
    report = parse_report(json.dumps({"metrics": {"accuracy": value}}).encode())
    return registry.metric_value(report.metrics["accuracy"])


@pytest.mark.parametrize(
    "value",
    ["<0.95", "~0.95%", "0.95", [0.95], {"value": "(0.95)"}, {"value": [0.95]}, "95_0", [[0.95]], True, None, "nan"],
)
def test_what_is_no_number_is_recorded_as_such_and_closes_the_gate(value: object) -> None:
    assert recorded(value).startswith("no number: ")
    assert "is not a number" in str(judge(RULE, recorded(value), None))


@pytest.mark.parametrize("value", [0.95, 1, {"value": 0.95}])
def test_a_number_is_recorded_as_it_is_and_opens_the_gate(value: Any) -> None:
    number = value["value"] if isinstance(value, dict) else value
    assert recorded(value) == repr(float(number))
    assert judge(RULE, recorded(value), None) is None


@pytest.mark.parametrize("text", ["95_0", " 0.95", "0.95\n", "٠.٩٥", "1e400", "infinity", "0x1p0", ".", "9" * 300])
def test_a_text_that_only_python_takes_as_a_number_closes_the_gate(text: str) -> None:
    assert judge(RULE, text, None) is not None


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.floats().map(str),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text() | st.just("value"), inner, max_size=3),
    max_leaves=5,
)


@given(value=JSON_VALUES)
def test_23_only_a_finite_number_opens_the_gate_and_is_shown_as_it_was_said(value: Any) -> None:
    said = value.get("value") if isinstance(value, dict) else value
    shown = recorded(value)
    if judge(RULE, shown, None) is None:
        assert isinstance(said, (int, float))
        assert not isinstance(said, bool)
        assert math.isfinite(said)
        assert float(shown) == float(said)
    elif registry.number(shown) is not None:
        assert float(shown) == float(said)
