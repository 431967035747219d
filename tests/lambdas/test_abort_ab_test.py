"""The guard takes the challenger's traffic away, whatever else goes on, and touches nothing else."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from abort_ab_test.handler import handler
from botocore.exceptions import ClientError
from lambdas.ab_lake import ENDPOINT, PRIMARY, SECONDARY, START, running

from handler_kit import clients
from handler_kit.ab_record import ABORTED, Intent, Record
from handler_kit.ab_store import Store
from handler_kit.errors import ConfigurationError, StepError
from lambdas import ab_lake

if TYPE_CHECKING:
    from collections.abc import Callable

NOW = START + 5_000.0
EXACTLY = {
    "EndpointName": ENDPOINT,
    "DesiredWeightsAndCapacities": [
        {"VariantName": PRIMARY, "DesiredWeight": 1.0},
        {"VariantName": SECONDARY, "DesiredWeight": 0.0},
    ],
}
SHIFT = Intent(kind="shift", by="command 7", since=NOW - 10.0, expires=NOW + 890.0, share=0.6)


@pytest.fixture(autouse=True)
def slept(set_env: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """An endpoint whose variants share the traffic, and its record; sleeping takes no time."""
    slept: list[float] = []
    set_env(ab_lake.SETTINGS)
    monkeypatch.setattr("time.time", lambda: NOW)
    monkeypatch.setattr("time.sleep", slept.append)
    clients.client("s3").create_bucket(Bucket=ab_lake.BUCKET)
    ab_lake.serve(primary=0.5, secondary=0.5)
    return slept


@pytest.fixture
def sagemaker(script: Callable[[str], Any]) -> Any:
    return script("sagemaker")


def abort(event: object = None) -> dict[str, Any]:
    return handler(event, None)


def begin(**changes: Any) -> Record:
    report("abort")
    return ab_lake.write(replace(running(ab_lake.plan_of(guard=True)), **changes))


def report(action: str, test: str = ab_lake.TEST) -> None:
    key = f"ab/{ab_lake.SETTINGS['pipeline']}/tests/{ab_lake.TEST}/report.json"
    body = json.dumps({"test": test, "action": action}).encode()
    clients.client("s3").put_object(Bucket=ab_lake.BUCKET, Key=key, Body=body)


def weights() -> dict[str, float]:
    found = clients.client("sagemaker").describe_endpoint(EndpointName=ENDPOINT)
    return {one["VariantName"]: one["DesiredWeight"] for one in found["ProductionVariants"]}


def endpoint(status: str, current: tuple[float, float], desired: tuple[float, float] | None = None) -> dict[str, Any]:
    """What DescribeEndpoint returns, with the weights of primary and secondary."""
    variants = [
        {"VariantName": slot, "CurrentWeight": now, "DesiredWeight": then}
        for slot, now, then in zip((PRIMARY, SECONDARY), current, desired or current, strict=True)
    ]
    return {"EndpointName": ENDPOINT, "EndpointStatus": status, "ProductionVariants": variants}


def test_the_champion_gets_all_requests_and_the_test_ends(sagemaker: Any) -> None:
    before = begin()
    assert abort() == {"test": ab_lake.TEST, "aborted": True}
    assert sagemaker.requests["UpdateEndpointWeightsAndCapacities"] == [EXACTLY]
    assert weights() == {PRIMARY: 1.0, SECONDARY: 0.0}
    record = ab_lake.read()
    assert record.test is not None
    assert (record.test.state, record.test.ended, record.test.segments[-1].until) == (ABORTED, NOW, NOW)
    assert record.test.why == "the guard: the challenger is shown to be worse"
    assert (record.share, record.intent, record.by) == (0.0, None, "guard")
    assert record.why == "the guard: the challenger is shown to be worse; its weight was read back as 0"
    assert (record.champion, record.challenger) == (before.champion, before.challenger)
    assert [one["id"] for one in record.history] == [ab_lake.TEST]


def test_no_call_but_two_goes_to_sagemaker_whatever_the_payload_says(sagemaker: Any) -> None:
    begin()
    abort({"EndpointName": "other", "weights": {SECONDARY: 1.0}})
    assert set(sagemaker.operations()) == {"DescribeEndpoint", "UpdateEndpointWeightsAndCapacities"}
    assert {one["EndpointName"] for one in sagemaker.requests["DescribeEndpoint"]} == {ENDPOINT}
    assert sagemaker.requests["UpdateEndpointWeightsAndCapacities"] == [EXACTLY]


def test_the_champion_may_be_in_the_second_slot(sagemaker: Any) -> None:
    begin(champion=ab_lake.model(SECONDARY), challenger=ab_lake.model(PRIMARY))
    abort()
    assert weights() == {PRIMARY: 0.0, SECONDARY: 1.0}


def test_a_second_invocation_changes_nothing(sagemaker: Any) -> None:
    begin()
    abort()
    record = ab_lake.read()
    assert abort() == {"test": ab_lake.TEST, "aborted": True}
    assert ab_lake.read() == record
    assert len(sagemaker.requests["UpdateEndpointWeightsAndCapacities"]) == 1


@pytest.mark.parametrize("state", ["promoted", "replaced"])
def test_a_test_that_does_not_run_is_left_alone(sagemaker: Any, state: str) -> None:
    record = running(ab_lake.plan_of())
    assert record.test is not None
    kept = ab_lake.write(replace(record, test=replace(record.test, state=state)))
    assert abort() == {"test": ab_lake.TEST, "aborted": False}
    assert sagemaker.operations() == []
    assert ab_lake.read().version == kept.version


def test_without_a_record_there_is_nothing_to_abort(sagemaker: Any) -> None:
    assert abort() == {"test": None, "aborted": False}
    assert sagemaker.operations() == []


def test_the_test_ends_before_the_weights_are_set_and_an_updating_endpoint_is_tried_again(sagemaker: Any) -> None:
    begin()
    sagemaker.refuse("UpdateEndpointWeightsAndCapacities", "ValidationException", "Cannot update in-progress endpoint")
    with pytest.raises(ClientError, match="Cannot update in-progress endpoint"):
        abort()
    record = ab_lake.read()
    assert record.test is not None
    assert record.intent is not None
    assert (record.test.state, record.share, record.intent.by, record.intent.kind) == (ABORTED, 0.0, "guard", "abort")
    assert record.intent.expires == NOW + 900.0
    assert weights() == {PRIMARY: 0.5, SECONDARY: 0.5}
    abort()
    assert weights() == {PRIMARY: 1.0, SECONDARY: 0.0}
    assert ab_lake.read().intent is None


def test_it_waits_until_the_weights_are_in_force(sagemaker: Any, slept: list[float]) -> None:
    begin()
    half, done = (0.5, 0.5), (1.0, 0.0)
    for answer in (
        endpoint("InService", half),
        *[endpoint("Updating", half, done)] * 2,
        endpoint("InService", half, done),
    ):
        sagemaker.answer("DescribeEndpoint", **answer)
    sagemaker.answer("DescribeEndpoint", **endpoint("Updating", done))
    sagemaker.answer("DescribeEndpoint", **endpoint("InService", done))
    abort()
    assert slept == [5.0, 5.0, 5.0, 5.0]
    assert ab_lake.read().intent is None


def test_weights_that_another_invocation_has_asked_for_are_only_waited_for(sagemaker: Any) -> None:
    begin()
    sagemaker.answer("DescribeEndpoint", **endpoint("Updating", (0.5, 0.5), (1.0, 0.0)))
    sagemaker.answer("DescribeEndpoint", **endpoint("InService", (1.0, 0.0)))
    abort()
    assert "UpdateEndpointWeightsAndCapacities" not in sagemaker.operations()


def test_weights_that_do_not_come_into_force_are_an_error_and_the_next_invocation_continues(sagemaker: Any) -> None:
    begin()
    for _ in range(62):
        sagemaker.answer("DescribeEndpoint", **endpoint("Updating", (0.5, 0.5), (1.0, 0.0)))
    with pytest.raises(StepError, match=r"has the status Updating.*after 300 s"):
        abort()
    assert ab_lake.read().intent is not None


def test_the_intent_of_a_command_is_replaced_and_the_command_loses_its_race(sagemaker: Any) -> None:
    begin(intent=SHIFT)
    _, etag = ab_lake.store().read()
    abort()
    record = ab_lake.read()
    assert (record.intent, record.share) == (None, 0.0)
    with pytest.raises(StepError, match="written by somebody else"):
        ab_lake.store().write(record, etag, now=NOW, by="command 7", why="its end")


def test_the_intent_of_a_promotion_is_replaced() -> None:
    begin(intent=Intent(kind="promote", by="execution 9", since=NOW - 10.0, bake_until=NOW + 600.0, returns=0.5))
    abort()
    assert ab_lake.read().intent is None


def test_the_intent_of_an_execution_that_brings_a_model_is_kept() -> None:
    intent = Intent(kind="release", by="execution 9", since=NOW - 10.0, model=ab_lake.model(SECONDARY))
    begin(intent=intent)
    abort()
    record = ab_lake.read()
    assert record.test is not None
    assert (record.test.state, record.share) == (ABORTED, 0.0)
    assert record.intent is not None
    assert (record.intent.by, record.intent.model) == (intent.by, intent.model)
    assert weights() == {PRIMARY: 1.0, SECONDARY: 0.0}


def test_a_change_that_somebody_has_begun_after_the_abort_is_left_alone(sagemaker: Any) -> None:
    begin()
    abort()
    ab_lake.write(replace(ab_lake.read(), intent=replace(SHIFT, kind="promote")))
    ab_lake.set_weights(primary=0.0, secondary=1.0)
    assert abort() == {"test": ab_lake.TEST, "aborted": False}
    assert weights() == {PRIMARY: 0.0, SECONDARY: 1.0}


def test_a_challenger_that_somebody_has_removed_has_no_traffic(sagemaker: Any) -> None:
    begin()
    answer = endpoint("InService", (1.0, 0.0))
    answer["ProductionVariants"] = answer["ProductionVariants"][:1]
    sagemaker.answer("DescribeEndpoint", **answer)
    abort()
    assert sagemaker.operations() == ["DescribeEndpoint"]
    assert ab_lake.read().share == 0.0


def test_an_endpoint_where_nobody_has_a_weight_gets_them(sagemaker: Any) -> None:
    begin()
    sagemaker.answer("DescribeEndpoint", **endpoint("InService", (0.0, 0.0)))
    abort()
    assert sagemaker.requests["UpdateEndpointWeightsAndCapacities"] == [EXACTLY]


def test_a_command_that_writes_at_the_same_time_does_not_keep_the_guard_from_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begin()
    write, raced = Store.write, []

    def racing(self: Store, record: Record, etag: str | None, **options: Any) -> str:
        if not raced:
            raced.append(True)
            found, current = self.read()
            write(self, replace(found, intent=SHIFT), current, now=NOW, by="command 7", why="a shift")
        return write(self, record, etag, **options)

    monkeypatch.setattr(Store, "write", racing)
    assert abort()["aborted"]
    record = ab_lake.read()
    assert record.test is not None
    assert (record.test.state, record.intent) == (ABORTED, None)


def test_a_missing_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ENDPOINT")
    with pytest.raises(ConfigurationError, match="environment variable ENDPOINT: missing"):
        abort()


@pytest.mark.parametrize(("action", "test"), [("continue", ab_lake.TEST), ("abort", "an earlier one")])
def test_an_event_that_is_delivered_again_does_not_end_another_test(sagemaker: Any, action: str, test: str) -> None:
    before = begin()
    report(action, test)
    assert abort()["aborted"] is False
    assert ab_lake.read() == before
    assert "UpdateEndpointWeightsAndCapacities" not in sagemaker.requests


def test_without_a_report_no_test_ends(sagemaker: Any) -> None:
    before = ab_lake.write(running(ab_lake.plan_of(guard=True)))
    assert abort()["aborted"] is False
    assert ab_lake.read() == before
