"""Whether an execution may be started now, from what is remembered and what is true."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from retrain.state import month_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from retrain.alarm import Alarm
    from retrain.facts import Dataset, Execution
    from retrain.settings import Document
    from retrain.state import State

# Of these obstacles people are notified, as it may be up to them to remove it.
WAITING, CEILING = "waiting_for_new_data", "ceiling"
IN_PROGRESS, COOLDOWN = "in_progress", "cooldown"


@dataclass(frozen=True)
class Obstacle:
    """Why no execution is started now.

    Attributes:
        kind: One of the names above.
        sentence: The same for people.
    """

    kind: str
    sentence: str

    @property
    def is_told(self) -> bool:
        """Whether people are notified."""
        return self.kind in (WAITING, CEILING)


def refusal(alarm: Alarm, newest_release: int, document: Document) -> str | None:
    """Why an alarm needs no execution; ``None`` when it needs one."""
    if alarm.reason not in document.reasons:
        return f"Alarms of the kind {alarm.reason} start no execution of this pipeline."
    # In an A/B test the champion serves, which is not the newest release.
    if not document.ab_test and alarm.release is not None and alarm.release < newest_release:
        return f"The alarm is about release {alarm.release}, which release {newest_release} has replaced."
    return None


def find_obstacle(
    state: State, executions: Sequence[Execution], datasets: Sequence[Dataset], document: Document, now: float
) -> Obstacle | None:
    """What keeps an execution from being started; ``None`` when nothing does."""
    alive = [one for one in executions if one.alive]
    if alive:
        return Obstacle(IN_PROGRESS, f"Execution {alive[-1].id} is in progress or waits for approval.")
    last = state.last
    if last is not None and now < last.started + document.cooldown:
        until = datetime.fromtimestamp(last.started + document.cooldown, timezone.utc)
        when = f"{until:%Y-%m-%d %H:%M} UTC (cooldown_in_hours)"
        return Obstacle(COOLDOWN, f"Execution {last.execution_id} was started lately; the next may start at {when}.")
    started = state.started_in(month_of(now))
    if started >= document.max_executions_per_month:
        sentence = f"{started} execution{' was' if started == 1 else 's were'} started in this month,"
        return Obstacle(CEILING, f"{sentence} no more may start in it (max_executions_per_month).")
    if len(datasets) < document.min_new_datasets:
        return Obstacle(WAITING, _waiting(len(datasets), document))
    return None


def _waiting(count: int, document: Document) -> str:
    wanted = document.min_new_datasets
    found = "No data set is" if count == 0 else _counted(count, "data set")
    needed = "" if wanted == 1 else f", {wanted} are needed"
    then = "its upload starts an execution" if document.start_on_upload else "then an execution starts"
    return f"{found} newer than what was trained on{needed}. Upload new data to {document.prefix}: {then}."


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{' is' if count == 1 else 's are'}"
