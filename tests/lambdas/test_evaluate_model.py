"""The gate: thresholds, production's model, and closed whenever it cannot tell."""

from __future__ import annotations

import json
import math
import struct
from typing import TYPE_CHECKING, Any

import pytest
from evaluate_model.evaluate import Champion, judge
from evaluate_model.handler import handler
from evaluate_model.rules import Rule, parse_rules
from hypothesis import given
from hypothesis import strategies as st

from handler_kit import clients
from handler_kit.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable

GROUP = "iris-1a2b3c"
METRIC = "validation:accuracy"
STACK = "iris-1a2b3c-production"
TEMPLATE = {
    "Parameters": {"ModelPackageArn": {"Type": "String"}},
    "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},
}


def with_rules(*more: dict[str, Any], **changes: object) -> dict[str, Any]:
    """The document of a gate."""
    empty = {"min_value": None, "max_value": None, "beat_production_by": None, "confidence_level": None}
    empty["objective_type"] = "Maximize"
    rules = [{"metric": METRIC, "min_value": 0.9, **changes}, *more]
    return {"gate": True, "rules": [{**empty, **rule} for rule in rules]}


@pytest.fixture(autouse=True)
def _gate(set_env: Callable[..., None], write_document: Callable[[object], None]) -> None:
    set_env({"production_stack": STACK})
    write_document(with_rules())
    clients.client("sagemaker").create_model_package_group(ModelPackageGroupName=GROUP)


def package(value: str | None, status: str = "PendingManualApproval", **more: str) -> str:
    metrics = {} if value is None else {f"metric.{METRIC}": value}
    properties = {"execution_id": "x", **metrics, **more}
    return clients.client("sagemaker").create_model_package(
        ModelPackageGroupName=GROUP, ModelApprovalStatus=status, CustomerMetadataProperties=properties
    )["ModelPackageArn"]


def produce(arn: str) -> None:
    clients.client("cloudformation").create_stack(
        StackName=STACK,
        TemplateBody=json.dumps(TEMPLATE),
        Parameters=[{"ParameterKey": "ModelPackageArn", "ParameterValue": arn}],
    )


def registered(arn: str) -> dict[str, Any]:
    return clients.client("sagemaker").describe_model_package(ModelPackageName=arn)


@pytest.fixture
def call(load_event: Callable[..., dict[str, Any]]) -> Callable[[str], None]:
    return lambda arn: handler(load_event("evaluate_model", params={"model_package_arn": arn}), None)


def test_a_good_model_passes(call: Any, reports: Any) -> None:
    call(package("0.9666666388511658"))
    assert reports.outputs == {
        "Value": "0.966667",
        "ProductionValue": "none",
        "Verdict": "validation:accuracy is 0.966667 (required: at least 0.9); production has none",
    }


def test_without_a_gate_every_model_passes_and_it_is_said(
    call: Any, reports: Any, write_document: Callable[[object], None]
) -> None:
    write_document({"gate": False, "rules": []})
    call(package(None))
    verdict = "none: no metric was compared with anything, because the pipeline has no evaluation gate"
    assert reports.outputs == {"Value": "none", "ProductionValue": "none", "Verdict": verdict}


def test_a_gate_without_rules_is_no_open_gate(
    call: Any, reports: Any, write_document: Callable[[object], None]
) -> None:
    write_document({"gate": True, "rules": []})
    call(package(None))
    assert "rules: there must be at least one" in reports.message


def test_a_model_below_the_minimum_fails_with_the_sentence(call: Any, reports: Any) -> None:
    call(package("0.61"))
    assert reports.message == "validation:accuracy is 0.61, must be at least 0.9"
    assert reports.kind == "JobFailed"


def test_a_model_that_fails_is_rejected_in_the_registry(call: Any, reports: Any) -> None:
    arn = package("0.61")
    call(arn)
    assert registered(arn)["ModelApprovalStatus"] == "Rejected"
    assert registered(arn)["ApprovalDescription"] == "validation:accuracy is 0.61, must be at least 0.9"


def test_a_model_that_passes_is_left_to_the_person(call: Any, reports: Any) -> None:
    arn = package("0.95")
    call(arn)
    assert registered(arn)["ModelApprovalStatus"] == "PendingManualApproval"


def test_a_model_that_passes_when_retried_is_pending_again(call: Any, reports: Any) -> None:
    arn = package("0.95", status="Rejected")
    call(arn)
    assert registered(arn)["ModelApprovalStatus"] == "PendingManualApproval"


def test_a_verdict_outlives_a_registry_that_refuses(call: Any, reports: Any, script: Callable[[str], Any]) -> None:
    script("sagemaker").refuse("UpdateModelPackage", "AccessDeniedException", "Not authorized.")
    call(package("0.61"))
    assert reports.message.startswith("validation:accuracy is 0.61, must be at least 0.9. Also, the model could")
    assert "Not authorized." in reports.message


def test_the_gate_of_classes_points_a_regression_to_its_own(call: Any, reports: Any) -> None:
    call(package(None, **{"metric.validation:rmse": "53.1", "metric.validation:r2": "0.4"}))
    assert reports.message == (
        "The model has no metric validation:accuracy; the model has validation:r2, validation:rmse; for a regression,"
        " configure Evaluation.for_regression()"
    )


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (None, "The model has no metric validation:accuracy; the model has no metric at all; check that the metric"),
        ("nan", "validation:accuracy is nan, which is not a finite number"),
        ("inf", "validation:accuracy is inf, which is not a finite number"),
        ("good", "validation:accuracy is 'good', which is not a number"),
    ],
)
def test_a_metric_that_cannot_be_read_closes_the_gate(
    call: Any, reports: Any, value: str | None, sentence: str
) -> None:
    arn = package(value)
    call(arn)
    assert reports.message.startswith(sentence)
    assert registered(arn)["ModelApprovalStatus"] == "Rejected"


def test_a_model_better_than_production_passes(
    call: Any, reports: Any, write_document: Callable[[object], None]
) -> None:
    write_document(with_rules(beat_production_by=0.01))
    produce(package("0.94"))
    call(package("0.95"))
    assert reports.outputs["ProductionValue"] == "0.94"


def test_a_model_no_better_than_production_fails(
    call: Any, reports: Any, write_document: Callable[[object], None]
) -> None:
    write_document(with_rules(beat_production_by=0.01))
    produce(package("0.95"))
    call(package("0.955"))
    assert reports.message == (
        "validation:accuracy is 0.955, must be at least 0.96 (production has 0.95, required margin 0.01)"
    )


def test_production_is_shown_but_does_not_decide_unless_asked(call: Any, reports: Any) -> None:
    produce(package("0.99"))
    call(package("0.95"))
    assert reports.outputs["ProductionValue"] == "0.99"


def test_without_production_there_is_nothing_to_beat(
    call: Any, reports: Any, write_document: Callable[[object], None]
) -> None:
    write_document(with_rules(beat_production_by=0.01))
    call(package("0.95"))
    assert reports.outputs["ProductionValue"] == "none"


@pytest.mark.parametrize("status", ["REVIEW_IN_PROGRESS", "ROLLBACK_COMPLETE", "CREATE_FAILED", "DELETE_FAILED"])
def test_a_stack_that_never_served_has_no_champion(
    call: Any, reports: Any, script: Callable[[str], Any], write_document: Callable[[object], None], status: str
) -> None:
    write_document(with_rules(beat_production_by=0.01))
    parameters = [{"ParameterKey": "ModelPackageArn", "ParameterValue": package("0.99")}]
    script("cloudformation").answer(
        "DescribeStacks", Stacks=[{"StackId": "arn:stack", "StackStatus": status, "Parameters": parameters}]
    )
    call(package("0.95"))
    assert reports.outputs["ProductionValue"] == "none"


def test_a_stack_that_rolled_an_update_back_still_serves(
    call: Any, reports: Any, script: Callable[[str], Any], write_document: Callable[[object], None]
) -> None:
    write_document(with_rules(beat_production_by=0.01))
    stack = {
        "StackId": "arn:stack",
        "StackStatus": "UPDATE_ROLLBACK_COMPLETE",
        "Parameters": [{"ParameterKey": "ModelPackageArn", "ParameterValue": package("0.99")}],
    }
    script("cloudformation").answer("DescribeStacks", Stacks=[stack])
    call(package("0.95"))
    assert "production has 0.99" in reports.message


def test_a_champion_whose_package_is_gone_cannot_be_compared(
    call: Any, reports: Any, write_document: Callable[[object], None]
) -> None:
    write_document(with_rules(beat_production_by=0.01))
    champion = "arn:aws:sagemaker:us-east-1:123456789012:model-package/iris-1a2b3c/99"
    produce(champion)
    call(package("0.95"))
    assert f"Production's model {champion} has no usable validation:accuracy" in reports.message


def test_a_champion_without_the_metric_is_unknown_when_not_compared(call: Any, reports: Any) -> None:
    produce(package(None))
    call(package("0.95"))
    assert reports.outputs["ProductionValue"] == "unknown"


def test_a_stack_that_may_not_be_read_is_reported(call: Any, reports: Any, script: Callable[[str], Any]) -> None:
    script("cloudformation").refuse("DescribeStacks", "AccessDenied", "Not authorized.")
    call(package("0.95"))
    assert reports.kind == "PermissionError"


def rule(minimum: float | None = None, maximum: float | None = None, by: float | None = None) -> Rule:
    return Rule("loss", minimum, maximum, by, lower_is_better=minimum is None)


def test_a_loss_beats_production_when_it_is_lower() -> None:
    champion = Champion("arn", {"loss": "0.3"})
    assert judge(rule(maximum=1.0, by=0.05), "0.25", champion) is None
    assert judge(rule(maximum=1.0, by=0.05), "0.29", champion) == (
        "loss is 0.29, must be at most 0.25 (production has 0.3, required margin 0.05)"
    )


def rows_right(right: int, rows: int, **more: str) -> str:
    """A model package as the container's template reports it."""
    share = (right + 1) / (rows + 2)
    error = math.sqrt(share * (1 - share) / (rows + 2))
    return package(f"{right / rows:.6g}", **{f"metric.{METRIC}_se": f"{error:.6g}", **more})


@pytest.mark.parametrize(
    ("right", "rows", "margin", "passes"),
    [
        (28, 30, 0.0, True),
        (24, 30, 0.0, False),
        (280, 300, 0.0, False),
        (29, 30, 0.01, False),
    ],
)
def test_what_chance_explains_does_not_stop_a_candidate(
    call: Any,
    reports: Any,
    write_document: Callable[[object], None],
    right: int,
    rows: int,
    margin: float,
    passes: bool,
) -> None:
    write_document(with_rules(min_value=0.5, beat_production_by=margin, confidence_level=0.95))
    produce(rows_right(round(rows * 29 / 30), rows))
    call(rows_right(right, rows))
    if passes:
        assert reports.outputs["Verdict"] == (
            "validation:accuracy is 0.933333 (required: at least 0.5, no worse than production by more than 0.110169,"
            " which chance explains); production has 0.966667"
        )
    else:
        assert "chance explains" in reports.message or margin


@pytest.mark.parametrize(("level", "error"), [(None, "0.05"), (0.95, None), (0.95, "nan"), (0.95, "-1")])
def test_without_level_or_standard_error_the_numbers_are_compared_as_they_are(
    call: Any, reports: Any, write_document: Callable[[object], None], level: float | None, error: str | None
) -> None:
    write_document(with_rules(beat_production_by=0.0, confidence_level=level))
    produce(rows_right(29, 30))
    call(package("0.933333", **({} if error is None else {f"metric.{METRIC}_se": error})))
    assert reports.message == (
        "validation:accuracy is 0.933333, must be at least 0.966667 (production has 0.966667, required margin 0)"
    )


def test_a_value_above_the_maximum_fails() -> None:
    assert judge(rule(maximum=1.0), "1.5", None) == "loss is 1.5, must be at most 1"


def test_the_32_bit_form_of_the_limit_passes() -> None:
    assert judge(rule(minimum=0.95), "0.949999988079071", None) is None


@given(minimum=st.floats(1e-3, 1e6), excess=st.floats(0, 1))
def test_the_32_bit_form_of_any_value_that_passes_passes(minimum: float, excess: float) -> None:
    (stored,) = struct.unpack("f", struct.pack("f", minimum + excess))
    assert judge(rule(minimum=minimum), repr(stored), None) is None


def test_a_value_that_no_rounding_explains_fails() -> None:
    assert judge(rule(minimum=0.8), "0.7999999", None) == "loss is 0.7999999, must be at least 0.8"


def test_two_numbers_that_look_equal_when_short_are_shown_in_full() -> None:
    assert judge(rule(minimum=0.1000003), "0.1000001", None) == ("loss is 0.1000001, must be at least 0.1000003")


@given(text=st.text(), minimum=st.floats(-1e6, 1e6))
def test_23_no_text_passes_that_is_not_a_number_at_least_the_minimum(text: str, minimum: float) -> None:
    if judge(rule(minimum=minimum), text, None) is None:
        assert float(text) >= minimum - abs(minimum) * 2**-22


def test_a_metric_that_the_evaluation_program_should_report_is_missed_there(call: Any, reports: Any) -> None:
    statistics = {"ContentType": "application/json", "S3Uri": "s3://artifacts/evaluations/x/evaluation.json"}
    arn = clients.client("sagemaker").create_model_package(
        ModelPackageGroupName=GROUP,
        CustomerMetadataProperties={"metric.f1": "0.9"},
        ModelMetrics={"ModelQuality": {"Statistics": statistics}},
    )["ModelPackageArn"]
    call(arn)
    assert reports.message == (
        "The model has no metric validation:accuracy; the model has f1;"
        " check that the evaluation program reports validation:accuracy in evaluation.json"
    )


def test_every_rule_must_hold(call: Any, reports: Any, write_document: Callable[[object], None]) -> None:
    write_document(with_rules({"metric": "loss", "max_value": 0.5}))
    call(package("0.95", **{"metric.loss": "0.7"}))
    assert reports.message == "loss is 0.7, must be at most 0.5"


def test_all_rules_that_hold_open_the_gate(call: Any, reports: Any, write_document: Callable[[object], None]) -> None:
    write_document(with_rules({"metric": "loss", "max_value": 0.5}))
    call(package("0.95", **{"metric.loss": "0.3"}))
    assert reports.outputs["Verdict"] == (
        "validation:accuracy is 0.95 (required: at least 0.9); production has none;"
        " loss is 0.3 (required: at most 0.5); production has none"
    )


def test_every_broken_rule_is_told_at_once(call: Any, reports: Any, write_document: Callable[[object], None]) -> None:
    write_document(with_rules({"metric": "loss", "max_value": 0.5}))
    call(package("0.61"))
    assert "validation:accuracy is 0.61" in reports.message
    assert "The model has no metric loss" in reports.message


def test_production_is_compared_metric_by_metric(
    call: Any, reports: Any, write_document: Callable[[object], None]
) -> None:
    loss = {"metric": "loss", "max_value": 1.0, "beat_production_by": 0.0, "objective_type": "Minimize"}
    write_document(with_rules(loss))
    produce(package("0.99", **{"metric.loss": "0.2"}))
    call(package("0.95", **{"metric.loss": "0.3"}))
    assert reports.message.startswith("loss is 0.3, must be at most 0.2 (production has 0.2")


def test_an_evaluation_that_cannot_be_read_closes_the_gate_and_says_why(call: Any, reports: Any) -> None:
    arn = package(None, evaluation_problem="evaluation.json is not JSON")
    call(arn)
    assert reports.message.startswith("The evaluation cannot be read: evaluation.json is not JSON; The model has no")
    assert registered(arn)["ModelApprovalStatus"] == "Rejected"


@pytest.fixture
def call_again(load_event: Callable[..., dict[str, Any]]) -> Callable[[str], None]:
    return lambda arn: handler(load_event("evaluate_model", params={"model_package_arn": arn, "release": "1"}), None)


def test_a_release_that_is_deployed_again_need_not_beat_production(
    call_again: Any, reports: Any, write_document: Callable[[object], None]
) -> None:
    write_document(with_rules(beat_production_by=0.0))
    produce(package("0.99"))
    call_again(package("0.95", status="Approved"))
    assert reports.outputs["Verdict"] == "validation:accuracy is 0.95 (required: at least 0.9); production has 0.99"


def test_a_release_that_is_deployed_again_must_hold_the_thresholds_and_keeps_its_status(
    call_again: Any, reports: Any
) -> None:
    arn = package("0.85", status="Approved")
    call_again(arn)
    assert reports.message == "validation:accuracy is 0.85, must be at least 0.9"
    assert registered(arn)["ModelApprovalStatus"] == "Approved"


@pytest.mark.parametrize(
    ("rules", "complaint"),
    [
        ([], "at least one"),
        ([{"metric": "a"}], "item 0: must have metric, min_value, max_value, beat_production_by"),
        (with_rules(min_value=None)["rules"], "item 0: must have a min_value, max_value or beat_production_by"),
        (with_rules(min_value=math.nan)["rules"], "min_value must be a finite"),
        (with_rules(min_value="0.9")["rules"], "min_value must be a finite"),
        (with_rules(objective_type=None)["rules"], "objective_type must be Maximize or Minimize"),
        (with_rules(confidence_level=1.0)["rules"], "confidence_level must be at least 0.5 and less than 1"),
    ],
)
def test_rules_that_would_leave_the_gate_open_are_refused(rules: list[dict[str, Any]], complaint: str) -> None:
    with pytest.raises(ConfigurationError, match=complaint):
        parse_rules(rules)
