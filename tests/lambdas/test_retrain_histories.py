"""Whatever happens in whichever order: one execution for a storm, within the limits, on new data, and not never."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from lambdas.retrain_world import AFTER, BEFORE, DAY, HOUR, OVERTAKEN, Trouble, World, document
from retrain import decision, facts, retrain
from retrain.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_SECONDS = st.sampled_from([1.0, 60.0, 1000.0, HOUR, 5 * HOUR, DAY, 3 * DAY, 9 * DAY, 31 * DAY])
_CALLS = st.integers(1, 16)
# What others do between two calls of the function.
_OTHERS = st.sampled_from(
    ["alarm", "tick", "upload", "start", "Succeeded", "Failed", "killed alarm", "upload and alarm"]
)
_TROUBLES = (
    st.none()
    | st.tuples(st.sampled_from([BEFORE, AFTER]), _CALLS, st.none())
    | st.tuples(st.just(OVERTAKEN), _CALLS, _OTHERS)
)


def others(world: World, what: str) -> object:
    """Do something in between."""
    if what in ("Succeeded", "Failed"):
        return world.end(what)
    if what == "start":
        return world.start(world.versions[-1]["VersionId"])
    if what in ("upload", "upload and alarm"):
        world.upload()
    if what == "killed alarm":
        return world.alarm(trouble=Trouble(AFTER, 10))
    return {"alarm": world.alarm, "tick": world.tick, "upload and alarm": world.alarm}.get(what, lambda: None)()


def trouble_of(world: World, given: tuple[str, int, str | None] | None) -> Trouble | None:
    if given is None:
        return None
    mode, nth, what = given
    return Trouble(mode, nth, None if what is None else lambda: others(world, what))


class Histories(RuleBasedStateMachine):
    """Random histories of a pipeline."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World().open()

    def teardown(self) -> None:
        try:
            self.quiet_in_the_end()
            assert self.world.broken() == []
        finally:
            self.world.close()

    @initialize(minimum=st.integers(1, 2), cooldown=st.sampled_from([1.0, 24.0, 200.0]), most=st.integers(1, 3))
    def begin(self, minimum: int, cooldown: float, most: int) -> None:
        self.world.document = document(
            min_new_datasets=minimum, cooldown_in_hours=cooldown, max_executions_per_month=most
        )
        self.world.first_release()

    @rule(trouble=_TROUBLES)
    def alarm(self, trouble: Any) -> None:
        self.world.alarm(trouble=trouble_of(self.world, trouble))

    @rule(trouble=_TROUBLES, seconds=_SECONDS, status=st.sampled_from(["Succeeded", "Failed"]))
    def new_data_and_an_alarm(self, trouble: Any, seconds: float, status: str) -> None:
        while self.world.alive:
            self.world.end(status)
        self.world.now += seconds
        self.world.upload()
        self.world.alarm(trouble=trouble_of(self.world, trouble))

    @rule(trouble=_TROUBLES, place=st.integers(0, 1000))
    def deliver_again(self, trouble: Any, place: int) -> None:
        known = self.world.delivered
        if known:
            self.world.deliver(known[place % len(known)][1], trouble=trouble_of(self.world, trouble))

    @rule(trouble=_TROUBLES)
    def tick(self, trouble: Any) -> None:
        self.world.tick(trouble=trouble_of(self.world, trouble))

    @rule(again=st.booleans())
    def upload(self, again: bool) -> None:
        self.world.upload(self.world.versions[-1]["Key"] if again else None)

    @rule(place=st.integers(0, 1000))
    def start_by_hand(self, place: int) -> None:
        self.world.start(self.world.versions[place % len(self.world.versions)]["VersionId"])

    @rule(status=st.sampled_from(["Succeeded", "Failed", "Stopped", "Stopping"]))
    def end(self, status: str) -> None:
        self.world.end("Failed" if status == "Stopping" else status)

    @rule(seconds=_SECONDS)
    def wait(self, seconds: float) -> None:
        self.world.now += seconds

    @invariant()
    def nothing_is_broken(self) -> None:
        assert self.world.broken() == []

    def quiet_in_the_end(self) -> None:
        """Without an obstacle, an alarm starts one execution, whose reason is known."""
        world = self.world
        while world.alive:
            world.end("Failed")
        # What functions that ended have begun is finished, or decided again.
        world.now += HOUR
        world.tick()
        while world.alive:
            world.end("Failed")
        world.now += 62 * DAY
        known = len(world.mine)
        for _ in range(world.document.min_new_datasets):
            world.upload()
        world.now += 1
        world.alarm()
        assert len(world.mine) == known + 1, "an alarm with new data and no obstacle started nothing"
        world.tick()
        assert len(world.mine) == known + 1
        for one in world.mine:
            assert world.why(one)["why"]


def test_whatever_happens_the_promises_hold() -> None:
    run_state_machine_as_test(
        Histories,
        settings=settings(
            max_examples=50, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )


# What is broken on purpose, how, and the history that shows it.


def _storm(world: World) -> None:
    """Alarms within the cooldown, although there is newer data."""
    world.upload()
    world.alarm()
    world.end("Failed")
    world.upload()
    world.now += 2 * HOUR
    world.alarm()
    world.tick()


def _late(world: World) -> None:
    """After the release that answers it, an alarm is delivered again."""
    world.upload()
    world.alarm()
    world.end("Succeeded")
    world.tick()
    world.upload()
    world.now += 2 * DAY
    world.deliver(world.delivered[0][1])


def _released(world: World) -> None:
    """After the release that answers the alarms there is newer data."""
    world.upload()
    world.alarm()
    world.end("Succeeded")
    world.now += 2 * DAY
    world.upload()
    world.tick()


def _month(world: World) -> None:
    """A month of drift."""
    world.now += 4 * DAY
    for _ in range(10):
        world.upload()
        world.alarm()
        world.end("Failed")
        world.now += 2 * DAY


def _same_data(world: World) -> None:
    """The data set has been tried."""
    world.start(world.upload())
    world.end("Failed")
    world.now += HOUR
    world.alarm()


def _waiting(world: World) -> None:
    """An execution waits for approval."""
    world.start(world.upload())
    world.now += HOUR
    world.upload()
    world.alarm()


def _killed(world: World) -> None:
    """The function ends just after it has started an execution, which has ended when newer data is there."""
    world.upload()
    world.alarm(trouble=Trouble(AFTER, 10))
    world.end("Failed")
    world.now += 12 * HOUR
    world.upload()
    world.tick()


def _overtaken(world: World) -> None:
    """Just before a function reserves its execution, another one has started an execution on newer data."""

    def faster() -> None:
        world.upload()
        world.alarm()
        world.end("Failed")

    world.upload()
    world.alarm(trouble=Trouble(OVERTAKEN, 9, faster))


def _waits_for_data(world: World) -> None:
    """The data comes after the alarm."""
    world.alarm()
    world.upload()
    world.tick()
    assert world.mine, "nothing was started"


def _alive_never(*given: Any) -> Any:
    found = _read_executions(*given)
    return [replace(one, alive=False) for one in found]


_read_executions = retrain.read_executions
_real_find, _real_look = decision.find_obstacle, retrain.Work._look


def _without(*kinds: str) -> Callable[..., Any]:
    def find(*given: Any) -> Any:
        found = _real_find(*given)
        return None if found is not None and found.kind in kinds else found

    return find


def _never_answered(self: Any) -> Any:
    with patch.object(retrain.Releases, "newest_number", lambda _: 0):
        return _real_look(self)


def _last_writer_wins(self: Store, state: Any, _: str | None) -> None:
    self._put(self.key, state.to_json())


def _only_succeeded(*given: Any) -> Any:
    found = facts.read_executions(*given)
    return [one for one in found if one.alive]


def _forget_alarms(self: Any, alarm: Any) -> str | None:
    refused: str | None = _real_take(self, alarm)
    if self._datasets(self._executions(), 0, self.store.read()[0]) == []:
        self.store.change(lambda state: replace(state, need=None))
    return refused


_real_take = retrain.Work.take

BREAKS: dict[str, tuple[Any, Callable[[World], None], str]] = {
    "no cooldown": (
        patch.object(retrain, "find_obstacle", _without("cooldown")),
        _storm,
        "within the cooldown",
    ),
    "alarms about older releases count": (
        patch.object(retrain, "refusal", lambda *_: None),
        _late,
        "without an alarm about the release",
    ),
    "a release answers nothing": (patch.object(retrain.Work, "_look", _never_answered), _released, "without an alarm"),
    "no ceiling": (patch.object(retrain, "find_obstacle", _without("ceiling")), _month, "above the ceiling"),
    "failed executions do not count": (
        patch.object(retrain, "read_executions", _only_succeeded),
        _same_data,
        "on data that is not new",
    ),
    "executions in progress do not count": (
        patch.object(retrain, "read_executions", _alive_never),
        _waiting,
        "beside an execution in progress",
    ),
    "what was started is not looked for": (
        patch.object(retrain.Work, "_started", lambda *_: None),
        _killed,
        "within the cooldown",
    ),
    "the last writer wins": (patch.object(Store, "write", _last_writer_wins), _overtaken, "within the cooldown"),
    "alarms without data are forgotten": (
        patch.object(retrain.Work, "take", _forget_alarms),
        _waits_for_data,
        "nothing was started",
    ),
}


@contextlib.contextmanager
def released() -> Iterator[World]:
    world = World().open()
    try:
        world.first_release()
        yield world
    finally:
        world.close()


def _found(history: Callable[[World], None]) -> list[str]:
    with released() as world:
        try:
            history(world)
        except AssertionError as error:
            return [str(error)]
        return world.broken()


@pytest.mark.parametrize("name", BREAKS)
def test_what_is_broken_on_purpose_is_found(name: str) -> None:
    how, history, sentence = BREAKS[name]
    with how:
        assert any(sentence in one for one in _found(history))


@pytest.mark.parametrize("name", BREAKS)
def test_nothing_is_found_where_nothing_is_broken(name: str) -> None:
    assert _found(BREAKS[name][1]) == []
