"""Joining captured requests with their outcomes: what counts, and that it does not matter when one looks."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from judge_ab_test import counting, joining
from judge_ab_test.bins import bin_of
from judge_ab_test.books import Ledger
from judge_ab_test.looking import Aws, _Look, plan_of
from judge_ab_test.seen import Seen
from judge_ab_test.settings import Settings
from judge_ab_test.timeline import Timeline
from lambdas.ab_lake import START, WINDOW, Lake, captured, reported, running

from handler_kit import clients
from handler_kit.ab_plan import MEAN, Metric
from handler_kit.ab_record import PRIMARY, SECONDARY, Segment
from handler_kit.errors import StepError
from handler_kit.outcomes import Outcome
from handler_kit.predictions import predictions
from lambdas import ab_lake

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from handler_kit.ab_record import Record

ANN, BOB = "a" * 32, "b" * 32
HOUR = 3_600.0


@pytest.fixture
def lake() -> Iterator[Lake]:
    with ab_lake.Minutes(), Lake() as lake:
        yield lake


class Looks:
    """Looks at one test; what is kept between them is read again each time."""

    def __init__(self, lake: Lake, record: Record) -> None:
        assert record.test is not None
        self._lake, self._record, self._test = lake, record, record.test
        self._plan = plan_of(self._test)
        aws = Aws(clients.client("s3"), None, clients.client("cloudwatch"), None)
        self._settings, self._aws = Settings(abort_function=None, **ab_lake.SETTINGS), aws
        self._written: dict[str, Any] | None = None

    def look(self, at: float) -> Ledger:
        from judge_ab_test import books

        self._lake.now = at
        horizon = self._test.plan["sticky_horizon_in_seconds"]
        memory = 2 * self._plan.maturity_window_in_seconds + HOUR if horizon is None else float("inf")
        if self._written is None:
            ledger = Ledger(books.State(START), START - 1.0, START, Seen(memory), observed=START)
        else:
            ledger = books._ledger(self._written, self._test, memory)
        look = _Look(self._settings, self._aws, self._record, self._test, self._plan, ledger)
        ledger.report = look.report("", at, lambda: 900.0)
        self._written = books._written(self._test, ledger)
        return ledger


def looked(
    lake: Lake, plan: dict[str, Any] | None = None, *segments: Segment, at: Iterable[float] = (9 * HOUR,)
) -> Ledger:
    """Look at some times after START, and return what is known after the last one."""
    looks = Looks(lake, running(plan or ab_lake.plan_of(), *segments))
    return [looks.look(START + seconds) for seconds in at][-1]


def counted(ledger: Ledger, metric: str = "accuracy") -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Outcomes of champion and challenger: failures and successes."""
    tally = ledger.state.tallies[metric]
    return tally.champion, tally.challenger


def test_a_response_is_right_if_the_outcome_that_arrives_later_is_the_same(lake: Lake) -> None:
    for name, slot, label in (("1", PRIMARY, "a"), ("2", SECONDARY, "a"), ("3", SECONDARY, "b")):
        captured(lake, name, START + 100, slot=slot)
        reported(lake, name, START + 200, label)
    ledger = looked(lake)
    assert counted(ledger) == ((0, 1), (1, 1))
    assert ledger.state.assigned == {"captured": {0.5: (1, 2)}, "joined": {0.5: (1, 2)}}


def test_an_outcome_may_name_the_event_of_a_request_without_an_inference_id(lake: Lake) -> None:
    captured(lake, "", START + 100, event="event-7")
    captured(lake, "named", START + 101, event="event-8")
    reported(lake, "event-7", START + 200)
    reported(lake, "event-8", START + 200)
    assert counted(looked(lake)) == ((0, 1), (0, 0))


def test_smoke_tests_do_not_count(lake: Lake) -> None:
    captured(lake, "smoke-test-1", START + 100)
    captured(lake, "mine", START + 100)
    ledger = looked(lake)
    assert ledger.state.assigned["captured"] == {0.5: (1, 0)}
    assert ledger.counts["missing"] == 1


def test_the_first_outcome_to_arrive_is_final(lake: Lake) -> None:
    captured(lake, "1", START + 100)
    for seconds, label in ((200, "b"), (300, "b"), (400, "a"), (500, "a")):
        reported(lake, "1", START + seconds, label)
    ledger = looked(lake)
    assert counted(ledger) == ((1, 0), (0, 0))
    assert (ledger.counts["repeated"], ledger.counts["conflicting"]) == (1, 2)


def test_outcomes_arrive_in_the_order_of_their_objects_and_not_of_their_keys(lake: Lake) -> None:
    captured(lake, "1", START + 100)
    truth = {"groundTruthData": {"data": "b", "encoding": "CSV"}, "eventMetadata": {"eventId": "1"}}
    lake.put(f"ground-truth/{ab_lake.PIPELINE}/2026/09/21/14", START + 300, truth)
    reported(lake, "1", START + 200)
    ledger = looked(lake)
    assert counted(ledger) == ((0, 1), (0, 0))
    assert ledger.counts["conflicting"] == 1


@pytest.mark.parametrize(("after", "late"), [(WINDOW, 0), (WINDOW + 1, 1)])
def test_an_outcome_after_the_maturity_window_is_late(lake: Lake, after: float, late: int) -> None:
    captured(lake, "1", START + 100)
    reported(lake, "1", START + 100 + after)
    ledger = looked(lake)
    assert (ledger.counts["late"], ledger.counts["missing"]) == (late, late)
    assert counted(ledger) == ((0, 1 - late), (0, 0))


def test_outcomes_that_name_no_request_are_unknown_once_the_test_is_as_old_as_an_outcome_can_be(lake: Lake) -> None:
    reported(lake, "before the test", START + WINDOW)
    reported(lake, "nobody", START + WINDOW + 1)
    captured(lake, "smoke-test-1", START + 100)
    assert looked(lake).counts["unknown"] == 1


def test_broken_lines_are_counted_and_break_nothing(lake: Lake) -> None:
    folder = f"capture/{ab_lake.PIPELINE}/production/{ab_lake.ENDPOINT}/{PRIMARY}/2026/09/21/15"
    lake.put(folder, START + 130, b"{", b"[1]", b"", b"\xff\xfe", {"eventMetadata": {}}, b'{"a":' * 5_000)
    captured(lake, "1", START + 100)
    truth = f"ground-truth/{ab_lake.PIPELINE}/2026/09/21/15"
    no_id = {"groundTruthData": {"data": "1"}, "eventMetadata": {}}
    lake.put(
        truth, START + 200, b"no json", no_id, {"groundTruthData": {"data": None}, "eventMetadata": {"eventId": "1"}}
    )
    reported(lake, "1", START + 201)
    ledger = looked(lake)
    assert ledger.counts["malformed"] == 5 + 3
    assert counted(ledger) == ((0, 1), (0, 0))


def test_malformed_outcomes_are_told_before_any_request_is_old_enough(lake: Lake) -> None:
    lake.put(f"ground-truth/{ab_lake.PIPELINE}/x", START + 1, b"no json")
    looks = Looks(lake, running(ab_lake.plan_of()))
    for seconds in (2, 30, WINDOW, 2 * WINDOW, 3 * WINDOW):
        report = looks.look(START + seconds).report
        assert report is not None
        assert report["outcomes"]["malformed"] == 1


def test_a_line_that_is_too_long_is_not_kept(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("handler_kit.json_lines.CHUNK_BYTES", 100)
    monkeypatch.setattr("handler_kit.json_lines.MAX_LINE_BYTES", 1_000)
    captured(lake, "long", START + 100, response="a" * 2_000)
    captured(lake, "1", START + 100)
    ledger = looked(lake)
    assert ledger.state.assigned["captured"] == {0.5: (1, 0)}
    assert ledger.counts["malformed"] == 1


def test_a_request_that_is_captured_twice_counts_the_first_time(lake: Lake) -> None:
    captured(lake, "1", START + 100, response="a")
    captured(lake, "1", START + 300, response="b")
    captured(lake, "1", START + HOUR, response="b")
    reported(lake, "1", START + 400)
    ledger = looked(lake)
    assert counted(ledger) == ((0, 1), (0, 0))
    assert ledger.counts["duplicate_requests"] == 2


def test_a_request_that_both_variants_have_captured_does_not_count(lake: Lake) -> None:
    captured(lake, "1", START + 100)
    captured(lake, "1", START + 200, slot=SECONDARY)
    reported(lake, "1", START + 300)
    ledger = looked(lake)
    assert counted(ledger) == ((0, 0), (0, 0))
    assert ledger.counts["duplicate_requests"] == 1
    assert ledger.counts["unknown"] == 0


# The look at second 750 counts the requests until second 150.
TWICE = [(9 * HOUR,), (750, 9 * HOUR)]


@pytest.mark.parametrize("looks", TWICE)
def test_the_other_variant_may_have_captured_it_after_the_requests_that_a_look_counts(
    lake: Lake, looks: Iterable[float]
) -> None:
    captured(lake, "1", START + 100)
    captured(lake, "1", START + 200, slot=SECONDARY)
    assert looked(lake, at=looks).state.assigned["captured"] == {}


@pytest.mark.parametrize("looks", TWICE)
@pytest.mark.parametrize(("delay", "found"), [(500, {}), (501, {0.5: (1, 0)})])
def test_what_arrives_after_the_window_of_the_first_request_changes_nothing(
    lake: Lake, looks: Iterable[float], delay: float, found: dict[float, tuple[int, int]]
) -> None:
    captured(lake, "1", START + 100)
    captured(lake, "1", START + 200, slot=SECONDARY, delay=delay)
    assert looked(lake, at=looks).state.assigned["captured"] == found


@pytest.mark.parametrize(("seconds", "found"), [(700, {}), (701, {0.5: (1, 0)})])
def test_only_ten_minutes_are_looked_ahead(lake: Lake, seconds: float, found: dict[float, tuple[int, int]]) -> None:
    captured(lake, "1", START + 100)
    captured(lake, "1", START + seconds, slot=SECONDARY)
    assert looked(lake, ab_lake.plan_of(window=2_000.0)).state.assigned["captured"] == found


@pytest.mark.parametrize("looks", TWICE)
def test_an_outcome_that_has_been_used_is_not_late(lake: Lake, looks: Iterable[float]) -> None:
    captured(lake, "1", START + 100)
    reported(lake, "1", START + 200)
    ledger = looked(lake, at=looks)
    assert (ledger.counts["late"], ledger.counts["unknown"], ledger.counts["repeated"]) == (0, 0, 0)
    assert counted(ledger) == ((0, 1), (0, 0))


@pytest.mark.parametrize("looks", TWICE)
def test_a_request_may_be_captured_a_little_before_its_time(lake: Lake, looks: Iterable[float]) -> None:
    captured(lake, "1", START + 160, delay=-40.0)
    reported(lake, "1", START + 110)
    assert counted(looked(lake, at=looks)) == ((0, 1), (0, 0))


def test_a_request_whose_object_comes_after_the_window_does_not_count(lake: Lake) -> None:
    captured(lake, "1", START + 100, delay=WINDOW + 1)
    captured(lake, "2", START + 101, delay=WINDOW)
    ledger = looked(lake)
    assert ledger.state.assigned["captured"] == {0.5: (1, 0)}
    assert ledger.counts["undelivered"] == 1


SHIFTED = (Segment(since=START, share=0.2, until=START + 1_000), Segment(since=START + 1_300, share=0.5))


@pytest.mark.parametrize(
    ("seconds", "share"),
    [(59, None), (60, 0.2), (1_000, 0.2), (1_001, None), (1_359, None), (1_360, 0.5)],
)
def test_a_request_counts_with_the_weights_of_its_time(lake: Lake, seconds: int, share: float | None) -> None:
    captured(lake, "1", START + seconds)
    ledger = looked(lake, ab_lake.plan_of(share=0.2), *SHIFTED)
    assert ledger.state.assigned["captured"] == ({} if share is None else {share: (1, 0)})
    assert ledger.counts["outside"] == (share is None)


def test_a_time_counts_only_if_its_weights_are_known_all_the_time() -> None:
    timeline = Timeline(SHIFTED, 60.0, ((START + 2_000, START + 2_100), (START + 3_000, None)))
    assert timeline.share(START + 60, START + 1_000) == 0.2
    assert timeline.share(START + 59, START + 1_000) is None
    assert timeline.share(START + 60, START + 1_001) is None
    assert timeline.share(START + 1_900, START + 2_000) is None
    assert timeline.share(START + 2_101, START + 2_999) == 0.5
    assert timeline.share(START + 9_000) is None
    assert Timeline((Segment(since=START, share=1.0),), 0.0).share(START + 1) is None


STICKY = ab_lake.plan_of(horizon=1_000.0)


def test_a_user_is_one_outcome_of_the_first_variant(lake: Lake) -> None:
    for seconds, slot, label in ((100, SECONDARY, "a"), (200, SECONDARY, "b"), (900, PRIMARY, "a")):
        captured(lake, f"{ANN}.{seconds}", START + seconds, slot=slot)
        reported(lake, f"{ANN}.{seconds}", START + seconds + 10, label)
    captured(lake, f"{BOB}.1", START + 100)
    reported(lake, f"{BOB}.1", START + 110)
    # After the horizon, so of no account.
    captured(lake, f"{BOB}.2", START + 1_101)
    reported(lake, f"{BOB}.2", START + 1_110, "b")
    ledger = looked(lake, STICKY)
    assert counted(ledger) == ((0, 1), (1, 0))


@pytest.mark.parametrize("looks", [(9 * HOUR,), (800, 1_650, 1_750, 2_600, 9 * HOUR), range(0, 4_000, 150)])
def test_users_between_two_looks_are_neither_lost_nor_counted_twice(lake: Lake, looks: Iterable[float]) -> None:
    for seconds in range(100, 2_900, 400):
        captured(lake, f"{ANN}.{seconds}", START + seconds)
        captured(lake, f"{BOB}.{seconds}", START + seconds + 50, slot=SECONDARY)
        reported(lake, f"{ANN}.{seconds}", START + seconds + 300)
        reported(lake, f"{BOB}.{seconds}", START + seconds + 300)
    looks = (*looks, 9 * HOUR)
    ledger = looked(lake, STICKY, at=looks)
    assert counted(ledger) == ((0, 1), (0, 1))


def test_requests_whose_user_is_not_known_do_not_count_where_users_stay(lake: Lake) -> None:
    for name in ("", "order-7", "short.1", f"{ANN}x.1", ANN):
        captured(lake, name, START + 100)
    ledger = looked(lake, STICKY)
    assert ledger.counts["without_user"] == 5
    assert "captured" not in ledger.state.assigned or ledger.state.assigned["captured"] == {}


def test_a_user_whose_first_request_is_in_both_variants_does_not_count(lake: Lake) -> None:
    captured(lake, f"{ANN}.1", START + 100)
    captured(lake, f"{ANN}.1", START + 110, slot=SECONDARY)
    captured(lake, f"{ANN}.2", START + 120)
    captured(lake, f"{BOB}.1", START + 100)
    captured(lake, f"{BOB}.1", START + 110)
    ledger = looked(lake, STICKY)
    assert ledger.state.assigned["captured"] == {0.5: (1, 0)}
    assert ledger.counts["duplicate_requests"] == 1


def test_a_user_who_comes_first_while_weights_settle_does_not_count(lake: Lake) -> None:
    captured(lake, f"{ANN}.1", START + 10)
    captured(lake, f"{ANN}.2", START + 100)
    ledger = looked(lake, STICKY)
    assert ledger.state.assigned["captured"] == {}
    assert ledger.counts["outside"] == 1


def test_the_mean_of_a_user_is_known_when_all_of_the_outcomes_are(lake: Lake) -> None:
    value = {"measures": "value", "low": 0.0, "high": 10.0}
    plan = ab_lake.plan_of(Metric(name="value", kind=MEAN), horizon=1_000.0, value=value)
    for user, values in ((ANN, ["2", "4"]), (BOB, ["2", None])):
        for place, reading in enumerate(values):
            captured(lake, f"{user}.{place}", START + 100 + place)
            if reading is not None:
                reported(lake, f"{user}.{place}", START + 200, reading)
    champion, _ = counted(looked(lake, plan), "value")
    assert {bin_: count for bin_, count in enumerate(champion) if count} == {30: 1}


def test_more_requests_than_fit_into_memory_are_refused(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(joining, "MAX_REQUESTS", 3)
    for number in range(3):
        captured(lake, f"{number}", START + 100)
    assert looked(lake).counts["missing"] == 3
    captured(lake, "one more", START + 100)
    with pytest.raises(StepError, match="More than 3 requests were captured in about an hour"):
        looked(lake)


def test_what_there_is_no_time_for_is_left_to_the_next_look(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "PIECE_BYTES", 1)
    for hour in range(3):
        captured(lake, f"{hour}", START + 100 + hour * HOUR)
    looks = Looks(lake, running(ab_lake.plan_of()))
    monkeypatch.setattr(counting, "RESERVED_SECONDS", 901.0)
    ledgers = [looks.look(START + 9 * HOUR) for _ in range(3)]
    assert [ledger.counts["missing"] for ledger in ledgers] == [1, 2, 3]
    reports = [ledger.report or {} for ledger in ledgers]
    assert "Requests of the last 8 hours are still to be counted." in reports[0]["sentence"]
    monkeypatch.setattr(counting, "RESERVED_SECONDS", 899.0)
    last = looks.look(START + 9 * HOUR).report or {}
    assert "still to be counted" not in last["sentence"]


def test_a_unit_that_comes_again_after_the_memory_is_a_new_one() -> None:
    seen = Seen(100.0)
    seen.add("a", 50.0)
    seen.add("b", 120.0)
    assert (seen.first_time("a", 150.0), seen.first_time("a", 151.0), seen.first_time("c", 60.0)) == (50.0, None, None)
    seen.forget(100.0)
    read = Seen.from_text(seen.to_text(), 100.0)
    assert (read.first_time("a", 60.0), read.first_time("b", 130.0)) == (None, 120.0)
    users = Seen(float("inf"))
    users.add("a", 50.0)
    users.forget(100.0)
    assert users.first_time("a", 1e9) == 50.0


def test_only_the_newest_units_are_remembered_beyond_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("judge_ab_test.seen.MAX_UNITS", 2)
    seen = Seen(100.0)
    for number in range(4):
        seen.add(str(number), float(number))
    seen.forget(0.0)
    assert [seen.first_time(str(number), 10.0) for number in range(4)] == [None, None, 2.0, 3.0]


RATE_SOURCES = {"accuracy": ab_lake.ACCURACY, "near": ab_lake.ACCURACY | {"relative_tolerance": 0.1}}


@pytest.mark.parametrize(
    ("label", "response", "found"),
    [
        ("a", "a\n", 1),
        ("a", "a,0.9,0.1\n", 1),
        ("a", "b", 0),
        ("1", "1.0", 1),
        ("a", "", 0),
        ("a\nb", "a\nb\n", 1),
        ("a\nb", "a\nc\n", 0),
        ("a,b", "a\nb\n", 1),
        ("1\n0\n1", "1,0,1", 1),
        ("a\nb", "a\n", 0),
        ("a", "a\nb\n", 0),
        ("1", '{"predictions": [{"predicted_label": 1, "score": 0.9}]}', 1),
        ("0.5", '{"predictions": [{"score": 0.5}]}', 1),
        ("1", '{"predictions": 1}', 0),
        ("1", None, None),
    ],
)
def test_a_request_is_a_success_when_all_of_its_predictions_are_right(
    label: str, response: str | None, found: int | None
) -> None:
    assert bin_of(Outcome(label), response, "accuracy", RATE_SOURCES["accuracy"], 2) == (found, True)


def test_a_number_is_right_within_the_tolerance() -> None:
    assert bin_of(Outcome("100"), "109", "near", RATE_SOURCES["near"], 2) == (1, True)
    assert bin_of(Outcome("100"), "111", "near", RATE_SOURCES["near"], 2) == (0, True)


@pytest.mark.parametrize(
    ("text", "found"),
    [("1", 1), ("true", 1), ("TRUE", 1), ("1.0", 1), ("0", 0), ("false", 0), ("1\n0", 0), ("1\n1", 1), ("yes", None)],
)
def test_a_success_is_1_or_true(text: str, found: int | None) -> None:
    assert bin_of(Outcome(text), None, "success", {"measures": "success"}, 2) == (found, found is not None)


@pytest.mark.parametrize(
    ("text", "found"),
    [("10", 0), ("30", 100), ("20", 50), ("-5", 0), ("99", 100), ("10\n30", 50), ("x", None), ("nan", None)],
)
def test_a_value_is_counted_between_its_limits(text: str, found: int | None) -> None:
    source = {"measures": "value", "low": 10.0, "high": 30.0}
    assert bin_of(Outcome(text), None, "value", source, 101) == (found, found is not None)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("true", (1, True)),
        ("[1, true]", (1, True)),
        ('{"bought": 1, "other": 0}', (1, True)),
        ('{"other": 1}', (None, True)),
        ("{", (None, False)),
        ('{"bought": null}', (None, False)),
    ],
)
def test_json_may_have_an_outcome_for_each_metric(text: str, found: tuple[int | None, bool]) -> None:
    assert bin_of(Outcome(text, is_json=True), None, "bought", {"measures": "success"}, 2) == found


def test_responses_and_outcomes_may_be_base64(lake: Lake) -> None:
    captured(lake, "1", START + 100, response="YQo=", encoding="BASE64")
    reported(lake, "1", START + 200, "YQ==", "BASE64")
    captured(lake, "2", START + 100, response="not base64", encoding="BASE64")
    ledger = looked(lake)
    assert counted(ledger) == ((0, 1), (0, 0))
    assert ledger.counts["malformed"] == 1


def test_an_outcome_that_cannot_be_read_is_malformed_and_no_outcome(lake: Lake) -> None:
    captured(lake, "1", START + 100)
    reported(lake, "1", START + 200, "perhaps")
    ledger = looked(lake, ab_lake.plan_of(Metric(name="bought"), bought={"measures": "success"}))
    assert (ledger.counts["malformed"], ledger.counts["missing"]) == (1, 1)


def test_predictions_that_cannot_be_read_are_none() -> None:
    assert predictions("{", 1) == []
    assert predictions('"' + "a" * 200_000, 1) == []


REQUESTS = st.tuples(st.integers(0, 5), st.integers(0, 3_700), st.booleans(), st.sampled_from([-20, 30, 200, 599, 700]))
OUTCOMES = st.tuples(st.integers(0, 6), st.integers(0, 5_000), st.sampled_from(["a", "b", ""]))
COUNTS = ("late", "repeated", "conflicting", "unknown", "missing", "duplicate_requests", "outside", "without_user")


def scenario(
    lake: Lake,
    requests: Iterable[tuple[int, int, bool, int]],
    outcomes: Iterable[tuple[int, int, str]],
    name: Callable[[int], str],
) -> None:
    for number, seconds, challenger, delay in requests:
        captured(lake, name(number), START + seconds, slot=SECONDARY if challenger else PRIMARY, delay=float(delay))
    for number, seconds, label in outcomes:
        reported(lake, name(number), START + seconds, label)


@pytest.mark.parametrize("sticky", [False, True])
@settings(max_examples=60, deadline=None)
@given(
    requests=st.lists(REQUESTS, min_size=3, max_size=20),
    outcomes=st.lists(OUTCOMES, max_size=20),
    looks=st.lists(st.integers(1, 5_500), min_size=1, max_size=5),
)
def test_it_does_not_matter_when_one_looks(
    sticky: bool, requests: list[tuple[int, int, bool, int]], outcomes: list[tuple[int, int, str]], looks: list[int]
) -> None:
    def name(number: int) -> str:
        return f"{number % 4:032x}.{number}" if sticky else f"id-{number}"

    plan = STICKY if sticky else ab_lake.plan_of()
    found = []
    for times in ([*sorted(looks), 20_000], [20_000]):
        with ab_lake.Minutes(), Lake() as lake:
            scenario(lake, requests, outcomes, name)
            found.append(looked(lake, plan, *SHIFTED, at=times))
    often, once = found
    assert often.state.tallies == once.state.tallies
    assert often.state.assigned.get("captured") == once.state.assigned.get("captured")
    assert often.state.assigned.get("joined") == once.state.assigned.get("joined")
    assert {name: often.counts[name] for name in COUNTS} == {name: once.counts[name] for name in COUNTS}
    assert Counter(often.counts) == Counter(once.counts)
