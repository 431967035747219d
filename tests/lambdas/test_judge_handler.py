"""A look at an A/B test: its report, its sentence, what is stored, and what if something is not as recorded."""

from __future__ import annotations

import json
import math
import random
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from judge_ab_test.handler import handler
from judge_ab_test.minutes import Good, Minute, matured
from judge_ab_test.words import ago, amount, plural
from lambdas.ab_lake import PACKAGES, PRIMARY, SECONDARY, START, WINDOW, captured, reported, running, stored

from handler_kit import clients
from handler_kit.ab_plan import MEAN, Metric
from handler_kit.ab_record import Intent, Segment
from handler_kit.errors import ConfigurationError, StepError
from lambdas import ab_lake

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from handler_kit.ab_record import Record

HOUR, DAY = 3_600.0, 86_400.0
ABORT_FUNCTION = "iris-1a2b3c-abort-ab-test"
ERRORS = {"measures": "server_errors"}
IN_TIME = {"measures": "latency", "max_latency_ms": 300}


@pytest.fixture
def lake() -> Iterator[ab_lake.Lake]:
    with ab_lake.Lake() as lake:
        yield lake


@pytest.fixture
def cloudwatch() -> Iterator[ab_lake.Minutes]:
    with ab_lake.Minutes() as cloudwatch:
        yield cloudwatch


@pytest.fixture
def functions(script: Callable[[str], Any]) -> Any:
    return script("lambda")


@pytest.fixture(autouse=True)
def look(
    lake: ab_lake.Lake,
    cloudwatch: ab_lake.Minutes,
    functions: Any,
    set_env: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[[float], dict[str, Any]]:
    """Look so many seconds after START."""
    set_env({**ab_lake.SETTINGS, "abort_function": ABORT_FUNCTION})
    clients.client("s3").create_bucket(Bucket=ab_lake.BUCKET)
    ab_lake.serve(primary=0.5, secondary=0.5)

    def at(seconds: float) -> dict[str, Any]:
        lake.now = START + seconds
        monkeypatch.setattr("time.time", lambda: START + seconds)
        return handler({"ignored": True}, None)

    return at


Look = Any


def begin(plan: dict[str, Any] | None = None, *segments: Segment, **changes: Any) -> Record:
    return ab_lake.write(replace(running(plan or ab_lake.plan_of(), *segments), **changes))


def answer(lake: ab_lake.Lake, champion: float, challenger: float, *, number: int = 400, first: int = 60) -> None:
    """Requests of both variants by chance, one a second; the shares of right responses are exact."""
    chance = random.Random(5)
    for slot, rate in ((PRIMARY, champion), (SECONDARY, challenger)):
        right = [True] * round(number * rate) + [False] * (number - round(number * rate))
        chance.shuffle(right)
        for place, is_right in enumerate(right):
            name, seconds = f"{slot}-{first + place}", first + place
            minute = 60.0 - seconds % 60
            captured(lake, name, START + seconds, slot=slot, delay=minute)
            reported(lake, name, START + seconds + minute, "a" if is_right else "b")


def test_without_a_test_there_is_nothing_to_look_at(look: Look) -> None:
    assert look(1) == {"test": None, "sentence": "no test runs"}


def test_a_better_challenger_may_be_promoted(look: Look, lake: ab_lake.Lake) -> None:
    begin()
    answer(lake, 0.6, 0.9)
    found = look(HOUR)
    metric = found.pop("metric")
    assert (metric["name"], metric["champion"], metric["challenger"]) == ("accuracy", 0.6, 0.9)
    assert metric["outcomes"] == {"champion": 400, "challenger": 400}
    assert 0.15 < metric["low"] < metric["difference"] < metric["high"] < 0.45
    assert (found["action"], found["verdict"], found["level"]) == ("promote", "better", 0.05)
    low, high = (f"{100 * metric[end]:.1f}" for end in ("low", "high"))
    assert found["sentence"] == (
        f"The challenger is better: accuracy 90.0 % against 60.0 % (difference {low} to {high} percentage points,"
        " 800 outcomes). It may be promoted."
    )
    assert (found["champion"], found["challenger"]) == (PACKAGES[PRIMARY], PACKAGES[SECONDARY])
    assert found["forecast"] == {"days": 0.0, "sentence": "There is a verdict."}
    assert (found["mismatches"], found["unreported"], found["guardrails"]) == ([], [], [])
    assert found["requests"]["challenger"] == {"invoked": None, "captured": 400, "joined": 400, "server_errors": None}


def test_the_report_is_stored_as_the_newest_one_and_as_that_of_its_look(look: Look, lake: ab_lake.Lake) -> None:
    begin()
    answer(lake, 0.6, 0.9)
    first, second = look(HOUR), look(2 * HOUR)
    assert stored("report.json") == second
    assert stored("looks/20260921T160000Z.json") == first
    assert stored("looks/20260921T170000Z.json") == second
    assert stored("state.json")["report"] == second
    assert second["metric"] == first["metric"]
    assert first["at"] == START + HOUR


def test_a_worse_challenger_is_aborted_by_the_guard(look: Look, lake: ab_lake.Lake, functions: Any) -> None:
    begin(ab_lake.plan_of(guard=True))
    answer(lake, 0.9, 0.6)
    functions.answer("Invoke", StatusCode=202)
    found = look(HOUR)
    assert (found["action"], found["verdict"]) == ("abort", "worse")
    assert found["sentence"].startswith("The challenger is worse: accuracy 60.0 % against 90.0 % (difference −")
    assert found["sentence"].endswith("The guard takes its traffic away.")
    assert functions.requests["Invoke"] == [{"FunctionName": ABORT_FUNCTION, "InvocationType": "Event"}]
    # Again, as long as the record does not say that the test has ended.
    functions.answer("Invoke", StatusCode=202)
    look(2 * HOUR)
    assert len(functions.requests["Invoke"]) == 2


def test_without_a_guard_nothing_is_invoked(look: Look, lake: ab_lake.Lake, functions: Any) -> None:
    begin()
    answer(lake, 0.9, 0.6)
    assert look(HOUR)["sentence"].endswith("Take its traffic away with `mlops ab abort`.")
    assert functions.operations() == []


def test_the_guard_leaves_a_good_challenger_alone(look: Look, lake: ab_lake.Lake, functions: Any) -> None:
    begin(ab_lake.plan_of(guard=True))
    answer(lake, 0.6, 0.9)
    look(HOUR)
    assert functions.operations() == []


def test_a_first_crossing_is_kept(look: Look, lake: ab_lake.Lake) -> None:
    begin()
    answer(lake, 0.6, 0.9)
    look(HOUR)
    crossing = stored("state.json")["state"]["crossings"]["better"]
    answer(lake, 0.9, 0.7, first=4_000, number=700)
    found = look(3 * HOUR)
    assert stored("state.json")["state"]["crossings"]["better"] == crossing
    assert (found["verdict"], found["metric"]["outcomes"]["champion"]) == ("better", 1_100)


@pytest.mark.parametrize(("challenger", "verdict", "other"), [(0.9, "better", "worse"), (0.3, "worse", "better")])
def test_the_evidence_reaches_its_threshold_with_the_verdict(
    look: Look, lake: ab_lake.Lake, challenger: float, verdict: str, other: str
) -> None:
    begin()
    answer(lake, 0.6, challenger)
    found = look(HOUR)
    evidence = found["evidence"]
    assert evidence["threshold"] == pytest.approx(math.log(20.0))
    assert found["verdict"] == verdict
    assert evidence[verdict] > evidence["threshold"] > evidence[other]
    assert stored("looks/20260921T160000Z.json")["evidence"] == evidence


def test_without_outcomes_there_is_no_evidence(look: Look) -> None:
    begin()
    evidence = look(HOUR)["evidence"]
    assert max(evidence["better"], evidence["worse"]) <= 0.0 < evidence["threshold"]


def test_without_outcomes_nothing_is_said_of_the_time(look: Look) -> None:
    begin()
    assert look(HOUR)["forecast"] == {
        "days": None,
        "sentence": "There are no outcomes yet, so nothing can be said of how long it takes.",
    }


def test_with_outcomes_of_one_variant_nothing_is_said_of_the_time(look: Look, lake: ab_lake.Lake) -> None:
    begin()
    for number in range(30):
        captured(lake, f"{number}", START + 100 + number)
        reported(lake, f"{number}", START + 160)
    assert look(HOUR)["forecast"] == {
        "days": None,
        "sentence": "There are no outcomes of both variants yet, so nothing can be said of how long it takes.",
    }


def test_no_difference_never_has_a_verdict(look: Look, lake: ab_lake.Lake) -> None:
    begin()
    answer(lake, 1.0, 1.0)
    said = "If the difference stays as it is, there will never be a verdict."
    assert look(HOUR)["forecast"] == {"days": None, "sentence": said}


def test_small_numbers_are_too_early(look: Look, lake: ab_lake.Lake) -> None:
    begin()
    answer(lake, 0.5, 0.5, number=6)
    found = look(HOUR)
    assert (found["action"], found["verdict"], found["metric"]["low"]) == ("continue", "too early", None)
    assert found["sentence"] == (
        "It is too early to judge accuracy: 6 outcomes of the champion and 6 of the challenger. At least 20 are needed,"
        " and 10 of each."
    )


def test_nothing_certain_has_a_forecast(look: Look, lake: ab_lake.Lake) -> None:
    begin()
    answer(lake, 0.9, 0.92)
    found = look(10 * HOUR)
    assert (found["action"], found["verdict"]) == ("continue", "inconclusive")
    assert found["sentence"].startswith("Nothing is certain yet: accuracy 92.0 % against 90.0 % (difference −")
    assert found["sentence"].endswith(f" {found['forecast']['sentence']}")
    days = max(1, round(found["forecast"]["days"]))
    assert found["forecast"]["sentence"] == f"At this traffic about {plural(days, 'more day')}."


def test_a_test_ends_after_its_time_and_promotes_nothing(look: Look, lake: ab_lake.Lake) -> None:
    begin(ab_lake.plan_of(days=0.5))
    answer(lake, 0.9, 0.92)
    found = look(13 * HOUR)
    assert (found["action"], found["verdict"]) == ("end", "inconclusive")
    assert found["sentence"].startswith("The test has taken its 0.5 days and allows no promotion: accuracy 92.0 %")


def test_a_guardrail_that_is_not_proven_waits(look: Look, lake: ab_lake.Lake, cloudwatch: ab_lake.Minutes) -> None:
    errors = Metric(name="no_error", tolerance=0.005)
    begin(ab_lake.plan_of(guardrails=[errors], no_error=ERRORS))
    answer(lake, 0.6, 0.9)
    for minute in range(2, 8):
        cloudwatch.add(PRIMARY, minute, 20, errors=1)
        cloudwatch.add(SECONDARY, minute, 20)
    found = look(HOUR)
    assert (found["action"], found["verdict"]) == ("continue", "better")
    assert found["sentence"].endswith(" But no_error may still be worse, so it has to wait.")
    (guardrail,) = found["guardrails"]
    # Two metrics share the level of harm.
    assert guardrail.pop("harm_threshold") == pytest.approx(math.log(40.0))
    assert guardrail.pop("not_worse_threshold") == pytest.approx(math.log(20.0))
    assert guardrail.pop("harm_evidence") < 0.0 < guardrail.pop("not_worse_evidence") < math.log(20.0)
    assert guardrail == {
        "name": "no_error",
        "champion": 0.95,
        "challenger": 1.0,
        "tolerance": 0.005,
        "harm": False,
        "not_worse": False,
        "outcomes": {"champion": 120, "challenger": 120},
    }
    assert found["requests"]["champion"] == {"invoked": 120, "captured": 400, "joined": 400, "server_errors": 6}


def test_server_errors_need_no_outcomes(
    look: Look, cloudwatch: ab_lake.Minutes, functions: Any, lake: ab_lake.Lake
) -> None:
    begin(ab_lake.plan_of(Metric(name="no_error"), no_error=ERRORS, guard=True))
    for minute in range(60):
        cloudwatch.add(PRIMARY, minute, 20)
        cloudwatch.add(SECONDARY, minute, 20, errors=4)
    functions.answer("Invoke", StatusCode=202)
    found = look(30 * 60 + 30)
    assert found["action"] == "abort"
    # Minute 0 is not wholly after the settling time; the last three minutes are not all published.
    assert found["requests"]["champion"]["invoked"] == 26 * 20
    assert found["metric"]["outcomes"] == {"champion": 520, "challenger": 520}
    assert found["unreported"] == []
    assert found["outcomes"]["pending"] == 0
    assert not any("capture" in request["Prefix"] for request in lake.requests["ListObjectsV2"])


@pytest.mark.parametrize("times", [(HOUR,), (100, 250, 700, 701, 1_900, HOUR)])
def test_minutes_are_the_same_whenever_one_looks(
    look: Look, cloudwatch: ab_lake.Minutes, times: tuple[float, ...]
) -> None:
    plan = ab_lake.plan_of(
        Metric(name="no_error"), [Metric(name="in_time", tolerance=0.01)], no_error=ERRORS, in_time=IN_TIME
    )
    begin(
        plan, Segment(since=START, share=0.5, until=START + 1_000), Segment(since=START + 1_090, share=0.4), share=0.4
    )
    ab_lake.set_weights(primary=0.6, secondary=0.4)
    for minute in range(60):
        cloudwatch.add(PRIMARY, minute, minute + 1, errors=minute % 3, within={300_000: minute})
        cloudwatch.add(SECONDARY, minute, 5, errors=minute % 2, within={300_000: 4})
    for seconds in times:
        look(seconds)
    state = stored("state.json")["state"]
    first, second = range(1, 16), range(20, 57)
    invoked = [
        [share, sum(minute + 1 for minute in each), 5 * len(each)] for share, each in ((0.5, first), (0.4, second))
    ]
    assert state["assigned"]["invoked"] == invoked
    both = [*first, *second]
    report = stored("report.json")
    assert report["metric"]["champion"] == pytest.approx(1 - sum(m % 3 for m in both) / sum(m + 1 for m in both))
    assert report["guardrails"][0]["challenger"] == 0.8
    assert "percentage points, 1,838 outcomes); in_time 80.0 % against 96.7 % (1,838 outcomes)." in report["sentence"]
    # One tally, whatever the looks were.
    assert report["metric"]["difference"] == pytest.approx(-0.0470, abs=1e-4)


def test_a_minute_in_random_order_is_the_same_each_time() -> None:
    minutes = [(START, 0.5, (Minute(6, 3), Minute(4, 1)))]
    found = matured(minutes, ERRORS, "seed")
    assert found == matured(minutes, ERRORS, "seed")
    assert sorted((one.challenger, one.bin) for one in found.outcomes) == sorted(
        [(False, 0)] * 3 + [(False, 1)] * 3 + [(True, 0)] + [(True, 1)] * 3
    )
    assert found.outcomes != matured(minutes, ERRORS, "other").outcomes
    assert {one.bin for one in found.reported} == {1}
    assert len(found.reported) == 10


def test_more_errors_than_requests_are_no_negative_count() -> None:
    assert Minute(2, 3).good(ERRORS) == Good(0, 2)


def test_a_latency_that_cloudwatch_does_not_know_is_not_counted(look: Look, cloudwatch: ab_lake.Minutes) -> None:
    begin(ab_lake.plan_of(Metric(name="in_time"), in_time=IN_TIME))
    for minute in range(1, 30):
        cloudwatch.add(PRIMARY, minute, 20)
        cloudwatch.add(SECONDARY, minute, 20)
    found = look(HOUR)
    assert found["unreported"] == ["in_time"]
    assert found["sentence"].endswith("CloudWatch has no numbers for in_time.")


def test_a_minute_without_a_response_in_time_counts_when_cloudwatch_knows_others(
    look: Look, cloudwatch: ab_lake.Minutes
) -> None:
    begin(ab_lake.plan_of(Metric(name="in_time"), in_time=IN_TIME))
    cloudwatch.add(PRIMARY, 2, 20, within={300_000: 20})
    cloudwatch.add(SECONDARY, 2, 20)
    found = look(HOUR)
    assert (found["metric"]["champion"], found["metric"]["challenger"]) == (1.0, 0.0)


def test_shares_that_are_not_those_of_the_weights_are_looked_into(look: Look, cloudwatch: ab_lake.Minutes) -> None:
    begin(ab_lake.plan_of(Metric(name="no_error"), no_error=ERRORS))
    for minute in range(1, 30):
        cloudwatch.add(PRIMARY, minute, 20)
        cloudwatch.add(SECONDARY, minute, 40)
    found = look(HOUR)
    assert (found["action"], found["mismatches"]) == ("investigate", ["invoked"])
    assert found["sentence"] == (
        "Somebody must look into this before anything is decided: The variants' shares of the invoked requests are not"
        " those of the weights, so they cannot be compared."
    )


def test_sticky_callers_name_their_variant_so_invocations_tell_nothing(look: Look, cloudwatch: ab_lake.Minutes) -> None:
    begin(ab_lake.plan_of(Metric(name="no_error"), horizon=600.0, no_error=ERRORS))
    for minute in range(1, 30):
        cloudwatch.add(PRIMARY, minute, 20)
        cloudwatch.add(SECONDARY, minute, 40)
    found = look(HOUR)
    assert (found["action"], found["mismatches"]) == ("continue", [])
    assert found["requests"]["challenger"]["invoked"] == 29 * 40


def test_outcomes_that_nobody_reports_are_asked_for(look: Look, lake: ab_lake.Lake) -> None:
    begin()
    for number in range(30):
        captured(lake, f"{number}", START + 60 + number, slot=PRIMARY if number % 2 else SECONDARY)
    found = look(HOUR)
    uri = "s3://artifacts/ground-truth/iris-1a2b3c/"
    assert (found["unreported"], found["outcomes"]["missing"]) == (["accuracy"], 30)
    assert found["sentence"].endswith(f" Nobody reports accuracy: upload outcomes to {uri}.")
    found = look(2.5 * DAY)
    assert found["sentence"].endswith(f" No outcomes have been reported in 2 days: upload them to {uri}.")


def test_outcomes_that_have_stopped_are_asked_for(look: Look, lake: ab_lake.Lake) -> None:
    begin()
    answer(lake, 0.9, 0.9)
    assert "No outcomes" not in look(DAY)["sentence"]
    assert "No outcomes have been reported in 3 days" in look(3.1 * DAY)["sentence"]


def test_requests_that_are_not_old_enough_are_pending(
    look: Look, lake: ab_lake.Lake, cloudwatch: ab_lake.Minutes
) -> None:
    begin()
    for minute in range(30):
        cloudwatch.add(PRIMARY, minute, 10)
    found = look(20 * 60)
    assert found["outcomes"]["pending"] == 10 * 10


@pytest.mark.parametrize("window", [WINDOW, 2 * DAY])
def test_smoke_tests_and_requests_of_unknown_weights_are_not_pending(
    look: Look, cloudwatch: ab_lake.Minutes, window: float
) -> None:
    shifted = Segment(since=START + 10 * 60, share=0.5)
    begin(ab_lake.plan_of(window=window), Segment(since=START + 30, share=0.1, until=START + 9.5 * 60), shifted)
    # A smoke test just before the first weights, then one that settles, then the shift.
    for minute in (-1, 0, 1, 9, 10):
        cloudwatch.add(SECONDARY, minute, 12)
    assert look(12 * 60)["outcomes"]["pending"] == 0
    cloudwatch.add(SECONDARY, 11, 3)
    assert look(12 * 60)["outcomes"]["pending"] == 3


def test_hours_of_a_long_window_are_pending_without_the_one_of_the_smoke_test(
    look: Look, cloudwatch: ab_lake.Minutes
) -> None:
    begin(ab_lake.plan_of(window=3 * DAY), Segment(since=START + 30, share=0.1))
    cloudwatch.add(SECONDARY, 0, 12)
    cloudwatch.add(SECONDARY, 60, 5)
    assert look(2 * DAY)["outcomes"]["pending"] == 5


WHOLE_MINUTES = (
    " in_time: CloudWatch counts by the minute, and only minutes count that are older than 3 minutes and lie wholly in"
    " a time with constant shares. None with requests does yet."
)


def test_a_guardrail_without_a_whole_minute_tells_why(
    look: Look, lake: ab_lake.Lake, cloudwatch: ab_lake.Minutes
) -> None:
    guardrail = Metric(name="in_time", tolerance=0.01)
    begin(ab_lake.plan_of(guardrails=[guardrail], in_time=IN_TIME), Segment(since=START + 30, share=0.5))
    cloudwatch.add(PRIMARY, 0, 12)
    assert "in_time" not in look(4 * 60)["sentence"]
    cloudwatch.add(PRIMARY, 1, 20, within={300_000: 20})
    found = look(6 * 60)
    assert found["guardrails"][0]["outcomes"] == {"champion": 0, "challenger": 0}
    assert found["sentence"].endswith(WHOLE_MINUTES)
    cloudwatch.add(PRIMARY, 3, 20, within={300_000: 20})
    assert not look(8 * 60)["sentence"].endswith(WHOLE_MINUTES)


def test_a_guardrail_without_traffic_is_no_matter(look: Look) -> None:
    begin(ab_lake.plan_of(guardrails=[Metric(name="in_time", tolerance=0.01)], in_time=IN_TIME))
    assert "in_time" not in look(HOUR)["sentence"]


def test_an_endpoint_that_captures_nothing_is_told(look: Look, cloudwatch: ab_lake.Minutes) -> None:
    begin()
    cloudwatch.add(PRIMARY, 5, 10)
    assert look(2 * HOUR)["sentence"].endswith("No captured request counts yet: check that the endpoint captures data.")


def test_a_window_shorter_than_the_delivery_is_told(look: Look, lake: ab_lake.Lake) -> None:
    begin(ab_lake.plan_of(window=60.0))
    captured(lake, "1", START + 100, delay=61.0)
    found = look(HOUR)
    assert found["outcomes"]["undelivered"] == 1
    assert found["sentence"].endswith("so none counts: begin a test with one of more than 1 minute.")


def test_values_are_told_in_their_own_unit(look: Look, lake: ab_lake.Lake) -> None:
    value = {"measures": "value", "low": 0.0, "high": 1_000.0}
    begin(ab_lake.plan_of(Metric(name="revenue", kind=MEAN), revenue=value))
    for number in range(400):
        for slot, amounts in ((PRIMARY, ("200", "400")), (SECONDARY, ("500", "700"))):
            captured(lake, f"{slot}-{number}", START + 60 + number, slot=slot)
            reported(lake, f"{slot}-{number}", START + 480, amounts[number % 2])
    found = look(HOUR)
    assert found["sentence"].startswith("The challenger is better: revenue 600.0 against 300.0 (difference 2")
    assert "percentage" not in found["sentence"]


def test_a_hand_edit_is_looked_into_and_its_requests_do_not_count(look: Look, lake: ab_lake.Lake) -> None:
    begin()
    answer(lake, 0.6, 0.9, number=400)
    look(400)
    ab_lake.set_weights(primary=0.8, secondary=0.2)
    found = look(HOUR)
    assert found["action"] == "investigate"
    assert found["sentence"].startswith(
        "Somebody has changed the endpoint by hand: the variant primary has 0.8 of the weight, and not 0.5. Requests"
        " since then do not count until the endpoint is as recorded again"
    )
    # Seconds 60 to 399: the look at 400 was the last one that saw the endpoint as it is recorded.
    assert found["requests"]["champion"]["captured"] == 340
    assert found["outcomes"]["outside"] == 2 * 60


def test_after_a_hand_edit_requests_count_again_when_the_endpoint_is_as_recorded(
    look: Look, lake: ab_lake.Lake
) -> None:
    begin()
    for seconds in (399, 400, 1_500, 2_000, 2_001):
        captured(lake, f"{seconds}", START + seconds)
    look(400)
    ab_lake.set_weights(primary=0.8, secondary=0.2)
    assert look(1_000)["action"] == "investigate"
    ab_lake.set_weights(primary=0.5, secondary=0.5)
    assert look(2_000)["action"] == "continue"
    found = look(HOUR)
    assert (found["requests"]["champion"]["captured"], found["outcomes"]["outside"]) == (2, 3)


def test_weights_that_are_set_again_by_a_shift_count_from_then_on(look: Look, lake: ab_lake.Lake) -> None:
    begin()
    for seconds in (399, 1_100, 1_359, 1_360):
        captured(lake, f"{seconds}", START + seconds)
    look(400)
    ab_lake.set_weights(primary=0.8, secondary=0.2)
    look(1_000)
    shifted = Segment(since=START, share=0.5, until=START + 1_200), Segment(since=START + 1_300, share=0.2)
    begin(None, *shifted, share=0.2)
    look(3_000)
    found = look(HOUR)
    assert (found["requests"]["champion"]["captured"], found["outcomes"]["outside"]) == (2, 2)


def test_a_variant_that_is_missing_or_not_recorded_is_named(look: Look, script: Callable[[str], Any]) -> None:
    begin()
    sagemaker = script("sagemaker")
    sagemaker.answer("DescribeEndpoint", ProductionVariants=[{"VariantName": PRIMARY, "CurrentWeight": 1.0}])
    found = look(HOUR)
    assert "the endpoint has the variants primary, and not primary, secondary" in found["sentence"]
    sagemaker.refuse("DescribeEndpoint", "ValidationException", 'Could not find endpoint "x".')
    assert "the endpoint iris-1a2b3c-production does not exist" in look(2 * HOUR)["sentence"]


def test_harm_is_not_put_off_by_a_hand_edit(look: Look, lake: ab_lake.Lake, functions: Any) -> None:
    begin(ab_lake.plan_of(guard=True))
    answer(lake, 0.9, 0.6)
    functions.answer("Invoke", StatusCode=202)
    look(HOUR)
    ab_lake.set_weights(primary=0.8, secondary=0.2)
    functions.answer("Invoke", StatusCode=202)
    found = look(2 * HOUR)
    assert found["action"] == "abort"
    assert "Somebody has also changed the endpoint by hand: the variant primary has 0.8" in found["sentence"]


def test_weights_that_a_command_is_changing_are_no_hand_edit(look: Look) -> None:
    intent = Intent(kind="shift", by="command 7", since=START + 500, expires=START + 1_400, share=0.2)
    begin(None, Segment(since=START, share=0.5, until=START + 500), intent=intent)
    ab_lake.set_weights(primary=0.8, secondary=0.2)
    assert look(600)["action"] == "continue"


def test_a_shift_that_ends_while_one_looks_is_no_hand_edit(look: Look, script: Callable[[str], Any]) -> None:
    begin()
    shifted = Segment(since=START, share=0.5, until=START + 500), Segment(since=START + 600, share=0.2)
    sagemaker = script("sagemaker")
    describe = sagemaker._answer

    def meanwhile(model: Any, **context: Any) -> Any:
        if len(sagemaker.requests["DescribeEndpoint"]) == 1:
            ab_lake.set_weights(primary=0.8, secondary=0.2)
            begin(None, *shifted, share=0.2)
        return describe(model, **context)

    sagemaker.client.meta.events.register_first("before-call.sagemaker.DescribeEndpoint", meanwhile)
    try:
        assert look(700)["action"] == "continue"
    finally:
        sagemaker.client.meta.events.unregister("before-call.sagemaker.DescribeEndpoint", meanwhile)
    assert len(sagemaker.requests["DescribeEndpoint"]) == 2


def test_a_test_that_is_being_set_up_is_not_judged(look: Look) -> None:
    record = running(ab_lake.plan_of())
    assert record.test is not None
    ab_lake.write(replace(record, test=replace(record.test, state="starting", segments=())))
    sentence = f"The test {ab_lake.TEST} has not begun: its challenger is being released."
    assert look(HOUR) == {"test": None, "sentence": sentence}


def test_of_a_test_that_has_ended_there_is_the_last_report(look: Look, lake: ab_lake.Lake) -> None:
    begin()
    answer(lake, 0.6, 0.9)
    report = look(HOUR)
    record = ab_lake.read()
    ab_lake.write(record.ended("aborted", START + 5_000, "somebody aborted it"))
    answer(lake, 0.9, 0.6, first=4_000)
    assert look(3 * HOUR) == report
    assert stored("report.json") == report


def test_a_test_that_has_ended_before_the_first_look_has_no_report(look: Look) -> None:
    ab_lake.write(begin().ended("aborted", START + 5, "somebody aborted it"))
    sentence = f"The test {ab_lake.TEST} has ended before the first look: somebody aborted it"
    assert look(HOUR) == {"test": None, "sentence": sentence}


def test_a_plan_that_somebody_has_changed_is_not_judged(look: Look) -> None:
    record = running(ab_lake.plan_of())
    assert record.test is not None
    digest = record.test.plan_sha256
    changed = ab_lake.plan_of(days=29.0)
    ab_lake.write(replace(record, test=replace(record.test, plan=changed)))
    other = running(changed).test
    assert other is not None
    with pytest.raises(StepError, match=f"has the digest {other.plan_sha256}, and was begun with {digest}"):
        look(HOUR)


def test_the_state_of_another_plan_is_not_continued(look: Look) -> None:
    first = begin().test
    look(HOUR)
    second = begin(ab_lake.plan_of(days=29.0)).test
    assert first is not None
    assert second is not None
    with pytest.raises(
        StepError, match=rf"with the plan {second.plan_sha256} is that of.*the plan {first.plan_sha256}"
    ):
        look(2 * HOUR)


def test_a_state_that_is_broken_is_named(look: Look) -> None:
    begin()
    key = f"ab/{ab_lake.PIPELINE}/tests/{ab_lake.TEST}/state.json"
    for body in (b"{", b"[]", json.dumps({"test": ab_lake.TEST}).encode()):
        clients.client("s3").put_object(Bucket=ab_lake.BUCKET, Key=key, Body=body)
        with pytest.raises(StepError, match=f"s3://artifacts/{key} is not the state of the test"):
            look(HOUR)


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        ({"statistics": {}}, "cannot be used: 'metric'"),
        ({"sources": {"accuracy": {"measures": "mood"}}}, "measures what is not known: mood"),
    ],
)
def test_a_plan_that_cannot_be_used_is_named(look: Look, plan: dict[str, Any], message: str) -> None:
    begin(ab_lake.plan_of() | plan)
    with pytest.raises(StepError, match=message):
        look(HOUR)


@pytest.mark.parametrize("looks_before", [0, 1])
def test_of_two_looks_at_once_the_faster_one_counts(
    look: Look, lake: ab_lake.Lake, functions: Any, looks_before: int
) -> None:
    begin(ab_lake.plan_of(guard=True))
    for seconds in range(looks_before):
        look(seconds + 1)
    answer(lake, 0.9, 0.6)
    functions.answer("Invoke", StatusCode=202)
    found: list[dict[str, Any]] = []

    def meanwhile(params: dict[str, Any], **_: Any) -> None:
        if params["Key"].endswith("state.json") and not found:
            found.append({})
            found[0] = look(HOUR + 10)

    events = lake.client.meta.events
    events.register_first("provide-client-params.s3.PutObject", meanwhile)
    try:
        slower = look(HOUR)
    finally:
        events.unregister("provide-client-params.s3.PutObject", meanwhile)
    assert slower == found[0] == stored("report.json")
    assert len(functions.requests["Invoke"]) == 1
    assert stored("state.json")["counts"]["missing"] == 0
    assert found[0]["metric"]["outcomes"] == {"champion": 400, "challenger": 400}


def test_a_lambda_that_runs_out_of_time_leaves_the_rest(
    lake: ab_lake.Lake, monkeypatch: pytest.MonkeyPatch, look: Look
) -> None:
    begin()
    captured(lake, "1", START + 100)
    captured(lake, "2", START + 100 + HOUR)
    monkeypatch.setattr("judge_ab_test.counting.PIECE_BYTES", 1)
    lake.now = START + 5 * HOUR
    monkeypatch.setattr("time.time", lambda: START + 5 * HOUR)
    context = type("Context", (), {"get_remaining_time_in_millis": lambda self: 239_000})()
    assert handler(None, context)["outcomes"]["missing"] == 1
    assert handler(None, context)["outcomes"]["missing"] == 2


def test_a_missing_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ARTIFACT_BUCKET")
    with pytest.raises(ConfigurationError, match="environment variable ARTIFACT_BUCKET: missing"):
        handler(None, None)


def test_numbers_have_as_many_digits_as_they_need() -> None:
    assert amount([0.931, 0.91], percent=True) == ["93.1 %", "91.0 %"]
    assert amount([0.99951, 0.99953], percent=True) == ["99.951 %", "99.953 %"]
    assert amount([0.5, 0.5], percent=True) == ["50.0 %", "50.0 %"]
    assert amount([-0.003, 0.008], percent=True, unit=False) == ["−0.3", "0.8"]
    assert amount([12_345.6, 7.0], percent=False) == ["12,345.6", "7.0"]


def test_times_are_told_in_the_unit_that_fits() -> None:
    assert [ago(seconds) for seconds in (1, 59, 60, 119, 7_199, 7_200, 172_799, 172_800)] == [
        "1 second",
        "59 seconds",
        "1 minute",
        "1 minute",
        "119 minutes",
        "2 hours",
        "47 hours",
        "2 days",
    ]
    assert WINDOW == 600.0
