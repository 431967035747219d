"""Where the state and the records are kept. The state is replaced only if nobody has replaced it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from handler_kit.errors import StepError
from handler_kit.objects import LostRaceError, read_object, replace_object
from retrain.state import State

if TYPE_CHECKING:
    from collections.abc import Callable

ATTEMPTS = 10


@dataclass(frozen=True)
class Store:
    """The state and the records of one pipeline."""

    s3: Any
    bucket: str
    pipeline: str

    @property
    def key(self) -> str:
        """Key of the state."""
        return f"retraining/{self.pipeline}/state.json"

    def read(self) -> tuple[State, str | None]:
        """Read the state and its ETag; an empty state and None when there is none.

        Raises StepError when the object is not such a state.
        """
        found = read_object(self.s3, self.bucket, self.key)
        if found is None:
            return State(), None
        body, etag = found
        try:
            return State.from_json(json.loads(body)), etag
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            place = f"s3://{self.bucket}/{self.key}"
            raise StepError(
                f"{place} is not the state of retraining ({error}). Restore its last good version."
            ) from error

    def write(self, state: State, etag: str | None) -> None:
        """Write the state if the object still has this ETag, or still does not exist. Raises LostRaceError if not."""
        lost = f"s3://{self.bucket}/{self.key} was written by another invocation."
        replace_object(self.s3, self.bucket, self.key, _body(state.to_json()), etag, lost)

    def change(self, change: Callable[[State], State]) -> State:
        """Read, change and write the state, again if somebody else was faster; nothing is written if it is the same."""
        for _ in range(ATTEMPTS):
            state, etag = self.read()
            changed = change(state)
            if changed == state:
                return state
            try:
                self.write(changed, etag)
            except LostRaceError:
                continue
            return changed
        place = f"s3://{self.bucket}/{self.key}"
        raise StepError(f"{place} was changed by others {ATTEMPTS} times in a row. Lambda tries again.")

    def explain(self, execution_id: str, why: dict[str, Any]) -> None:
        """Write why an execution was started, which the approver reads."""
        self._put(f"retraining/{self.pipeline}/executions/{execution_id}.json", why)

    def record(self, about: str, decision: dict[str, Any], now: float) -> str:
        """Write a decision under its time and what it was about; return its key."""
        moment = datetime.fromtimestamp(now, timezone.utc)
        name = "".join(one if one.isalnum() or one in "-._" else "_" for one in about)
        key = f"retraining/{self.pipeline}/decisions/{moment:%Y-%m-%d/%H%M%S.%f}-{name}.json"
        self._put(key, {"at": moment.isoformat(), "about": about, **decision})
        return key

    def _put(self, key: str, content: dict[str, Any]) -> None:
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=_body(content), ContentType="application/json")


def _body(content: dict[str, Any]) -> bytes:
    return json.dumps(content, indent=2, sort_keys=True).encode()
