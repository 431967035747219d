"""Alarms: what a look has found for the first time, and who is notified of it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from handler_kit import logs
from handler_kit.console import object_link
from watch_traffic.estimate import ERRORS
from watch_traffic.picture import picture

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from watch_traffic.baseline import Feature
    from watch_traffic.finding import Finding
    from watch_traffic.settings import Settings
    from watch_traffic.state import Ledger
    from watch_traffic.watched import Watched

DRIFT, QUALITY, ESTIMATED = "drift", "quality", "estimated_quality"
# After so many seconds, a function that was to notify and has not said so has been ended.
CLAIM_SECONDS = 1_200.0
_PICTURED, _MAX_SUBJECT, _MAX_SENTENCES = 6, 100, 10


def findings(ledger: Ledger) -> Iterator[tuple[Feature, Finding]]:
    """Yield what is known about each feature."""
    for watch in ledger.watches.values():
        yield from zip(watch.baseline.features, watch.findings(), strict=True)


def quality_sentence(watched: Watched, ledger: Ledger) -> str:
    """Return what is known about the share of right predictions."""
    quality, least = ledger.quality, watched.config["quality"]["min_accuracy"]
    if quality is None or not quality.records:
        return "No outcomes yet."
    low, high = quality.interval()
    share = 100 * quality.right / quality.records
    text = f"{share:.1f} % of {quality.records:,} predictions were right ({100 * low:.1f} to {100 * high:.1f} %)"
    if quality.shown is None:
        return f"{text}; a share below {100 * least:g} % is not shown."
    return f"{text}; since {_at(quality.shown.since)} it is below {100 * least:g} %."


def estimate_sentence(watched: Watched, ledger: Ledger) -> tuple[str, bool]:
    """Return what is known about the estimated accuracy, and whether it is too low."""
    calibration = watched.baseline.calibration
    expected = None
    if calibration is not None and ledger.estimated is not None and ledger.estimated.looks:
        expected = ledger.estimated.expected(calibration)
    if expected is None:
        return "There are too few predictions for an estimate.", False
    least = watched.config["quality"]["min_accuracy"]
    is_low = expected.accuracy + ERRORS * expected.error < least
    text = f"{100 * expected.accuracy:.1f} % of the last predictions are expected to be right"
    return f"{text}, {'less than' if is_low else 'at least'} {100 * least:g} %." if is_low else f"{text}.", is_low


@dataclass(frozen=True)
class Raising:
    """What raises alarms.

    Attributes:
        pipeline: Name of the pipeline.
        watched: What is watched.
        ledger: What is known; it is changed.
    """

    pipeline: str
    watched: Watched
    ledger: Ledger

    def of_records(self, begin: float) -> None:
        """Raise what the records of a look show for the first time; it began at this time."""
        ledger = self.ledger
        # A feature may be called as the prediction is, or as a reason.
        found = {f"{group} {one.feature}": one for group in ledger.watches for one in ledger.watches[group].findings()}
        new = {name: one for name, one in found.items() if one.alarm and name not in ledger.raised}
        if new:
            ledger.raised += new
            features, sentences = zip(*((one.feature, one.sentence()) for one in new.values()), strict=True)
            self._raise(DRIFT, begin, list(features), sentences)
        if ledger.estimated is not None and ESTIMATED not in ledger.raised:
            sentence, is_low = estimate_sentence(self.watched, ledger)
            if is_low:
                ledger.raised.append(ESTIMATED)
                self._raise(ESTIMATED, begin, [], [sentence])

    def of_outcomes(self, begin: float) -> None:
        """Raise what the outcomes of an hour show for the first time."""
        quality = self.ledger.quality
        if quality is not None and quality.shown is not None and QUALITY not in self.ledger.raised:
            self.ledger.raised.append(QUALITY)
            self._raise(QUALITY, begin, [], [quality_sentence(self.watched, self.ledger)])

    def _raise(self, reason: str, begin: float, features: list[str], sentences: Sequence[str]) -> None:
        released = self.watched.released
        known = [self.pipeline, self.watched.id, reason, begin, features]
        more = [f"And {len(sentences) - _MAX_SENTENCES} more."] if len(sentences) > _MAX_SENTENCES else []
        self.ledger.alarms.append(
            {
                "id": hashlib.sha256(json.dumps(known).encode()).hexdigest()[:16],
                "reason": reason,
                "pipeline": self.pipeline,
                "release": released.package if released.number is None else released.number,
                "window": datetime.fromtimestamp(begin, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
                "features": features,
                "sentence": " ".join([*sentences[:_MAX_SENTENCES], *more]),
                "claimed": None,
                "sent": None,
            }
        )


@dataclass(frozen=True)
class Notifying:
    """Who is notified.

    Attributes:
        settings: The topic and the function that retrains.
        s3: The client of S3.
        sns: That of SNS.
        functions: That of Lambda.
        prefix: Prefix of the objects of the watch, with the last slash.
    """

    settings: Settings
    s3: Any
    sns: Any
    functions: Any
    prefix: str

    def notify(self, ledger: Ledger, save: Callable[[], None], now: float) -> None:
        """Notify of each alarm once.

        An alarm is claimed in the state before anybody is notified, and two functions cannot both claim it. If the
        claim is old and nothing was sent, the function was ended in between: the message is sent, and says that it may
        be the second one.
        """
        for alarm in ledger.alarms:
            claimed = alarm["claimed"]
            if alarm["sent"] is not None or (claimed is not None and now - claimed < CLAIM_SECONDS):
                continue
            alarm["claimed"] = now
            save()
            try:
                self._send(alarm, ledger, again=claimed is not None)
            except ClientError:
                alarm["claimed"] = claimed
                save()
                raise
            alarm["sent"] = now
            save()

    def _send(self, alarm: dict[str, Any], ledger: Ledger, *, again: bool) -> None:
        told = {name: value for name, value in alarm.items() if name not in ("claimed", "sent")}
        key = f"{self.prefix}alarms/{alarm['id']}"
        pictured = [pair for pair in findings(ledger) if pair[1].feature in alarm["features"]][:_PICTURED]
        if pictured:
            self._put(f"{key}.svg", picture(pictured).encode(), "image/svg+xml")
        self._put(f"{key}.json", json.dumps(told, sort_keys=True).encode(), "application/json")
        if self.settings.retrain_function is not None:
            self.functions.invoke(
                FunctionName=self.settings.retrain_function,
                InvocationType="Event",
                Payload=json.dumps(told, sort_keys=True).encode(),
            )
        topic = self.settings.topic_arn
        if topic is not None:
            link = object_link(topic, self.settings.artifact_bucket, f"{key}.svg") if pictured else ""
            self.sns.publish(TopicArn=topic, Subject=_subject(alarm), Message=_message(alarm, link, again=again))
        logs.info("alarm raised", id=alarm["id"], reason=alarm["reason"], sentence=alarm["sentence"])

    def _put(self, key: str, body: bytes, content_type: str) -> None:
        self.s3.put_object(Bucket=self.settings.artifact_bucket, Key=key, Body=body, ContentType=content_type)


def _subject(alarm: dict[str, Any]) -> str:
    """https://docs.aws.amazon.com/sns/latest/api/API_Publish.html: ASCII, less than 100 characters, no line breaks."""
    what = {DRIFT: f"drift in {', '.join(alarm['features'])}", QUALITY: "fewer predictions are right"}
    text = f"{alarm['pipeline']}: {what.get(alarm['reason'], 'fewer right predictions are expected')}"
    plain = "".join(one if " " <= one <= "~" else "?" for one in text)
    return plain if len(plain) < _MAX_SUBJECT else f"{plain[: _MAX_SUBJECT - 4]}..."


def _message(alarm: dict[str, Any], link: str, *, again: bool) -> str:
    lines = [
        *(["This message may have been sent before."] if again else []),
        alarm["sentence"],
        f"Pipeline {alarm['pipeline']}, release {alarm['release']}. `mlops drift {alarm['pipeline']}` shows more.",
        *([f"Expected and seen: {link}"] if link else []),
    ]
    return "\n\n".join(lines)


def _at(time: float) -> str:
    return f"{datetime.fromtimestamp(time, timezone.utc):%Y-%m-%d %H:%M} UTC"
