"""The message to people when alarms wait for something that only people can change."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from handler_kit import logs
from retrain.state import LIFETIME_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from retrain.decision import Obstacle
    from retrain.settings import Settings
    from retrain.state import Need, State
    from retrain.store import Store


def tell_once(
    sns: Any, settings: Settings, store: Store, need: Need, obstacle: Obstacle, clock: Callable[[], float]
) -> None:
    """Notify people that alarms have started no execution: once, unless a function ends between message and note."""
    begun = clock()
    mine = [False]

    def begin(state: State) -> State:
        mine[0] = _is_due(state.need, need, obstacle, begun)
        return replace(state, need=replace(state.need, telling=begun)) if mine[0] and state.need else state

    store.change(begin)
    if not mine[0]:
        return
    _publish(sns, settings, need, obstacle)

    def end(state: State) -> State:
        if state.need is None or state.need.telling != begun:
            return state
        return replace(state, need=replace(state.need, told=(*state.need.told, obstacle.kind), telling=None))

    store.change(end)


def _is_due(found: Need | None, need: Need, obstacle: Obstacle, now: float) -> bool:
    """Whether nobody has notified people, or does so now."""
    if found is None or found.since != need.since or obstacle.kind in found.told:
        return False
    return found.telling is None or now > found.telling + LIFETIME_SECONDS


def _publish(sns: Any, settings: Settings, need: Need, obstacle: Obstacle) -> None:
    lines = [
        f"Production of the pipeline {settings.pipeline} needs a new model: {need.sentence}",
        "",
        f"No execution has been started. {obstacle.sentence}",
    ]
    sns.publish(TopicArn=settings.topic_arn, Subject=f"{settings.pipeline}: retraining waits", Message="\n".join(lines))
    logs.info("people are notified", obstacle=obstacle.kind)
