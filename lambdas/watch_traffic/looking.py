"""One look at production: what has arrived is counted and judged, people are notified, and the report is stored.

The state is replaced only if nobody has replaced it, so of two functions at once one changes nothing; and it is written
after each look and before each message, so a function can end anywhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from handler_kit import logs
from handler_kit.objects import LostRaceError
from handler_kit.outcomes import CLOCK_SLACK
from watch_traffic.alarms import Notifying, Raising
from watch_traffic.captured import HOUR, Capture
from watch_traffic.counting import Counting
from watch_traffic.outcomes import Joining
from watch_traffic.publish import Publishing
from watch_traffic.released import Baselines, released
from watch_traffic.state import Store
from watch_traffic.watched import Watched

if TYPE_CHECKING:
    from collections.abc import Callable

    from watch_traffic.settings import Document, Settings
    from watch_traffic.state import Ledger

# One object, one judgement and the messages take less.
RESERVED_SECONDS = 120.0


@dataclass(frozen=True)
class Aws:
    """The clients.

    Attributes:
        s3: Of S3.
        cloudwatch: Of CloudWatch.
        sns: Of SNS.
        functions: Of Lambda.
    """

    s3: Any
    cloudwatch: Any
    sns: Any
    functions: Any


def look(
    settings: Settings, document: Document, aws: Aws, *, now: float, seconds_left: Callable[[], float]
) -> dict[str, Any]:
    """Look at what production has captured since the last look, and return the report.

    If another look is faster, this one changes nothing more. Raises StepError when what is stored cannot be read.
    """
    bucket, pipeline = settings.artifact_bucket, settings.pipeline
    found = released(aws.s3, bucket, pipeline, ab_test=document.ab_test)
    if found is None:
        return _nothing(settings, "Nothing has been released yet.")
    baseline = Baselines(aws.s3, bucket, pipeline).of(found.package).read()
    if baseline is None:
        again = f"; `mlops rollback {pipeline} {found.number}` releases this one again, with a baseline"
        return _nothing(
            settings,
            f"Release {found.name} has no baseline, because it was made before the pipeline had monitoring. The next"
            f" release has one{'' if found.number is None else again}.",
        )
    watched = Watched.of(found, baseline, document.monitoring)
    if not watched.groups:
        return _nothing(settings, " ".join(["Nothing can be watched.", *baseline.notes]))
    return _Look(settings, aws, watched, lambda: seconds_left() > RESERVED_SECONDS).run(now)


@dataclass(frozen=True)
class _Look:
    """What one look is made of."""

    settings: Settings
    aws: Aws
    watched: Watched
    has_time: Callable[[], bool]

    def run(self, now: float) -> dict[str, Any]:
        """Count, judge, notify, publish."""
        settings, aws, watched = self.settings, self.aws, self.watched
        prefix = f"monitoring/{settings.pipeline}/"
        key = f"{prefix}releases/{watched.released.name}/{watched.id}.json"
        store = Store(aws.s3, settings.artifact_bucket, key)
        ledger = store.read(watched.ledger())
        publishing = Publishing(settings, aws.s3, aws.cloudwatch, watched, ledger)
        # What a function that was ended has not published.
        publishing.rows()
        try:
            behind = self._count(ledger, store, publishing, now)
            notifying = Notifying(settings, aws.s3, aws.sns, aws.functions, prefix)
            notifying.notify(ledger, lambda: store.write(ledger), now)
            # Looks without a record, too.
            store.write(ledger)
        except LostRaceError as error:
            logs.info("another look was faster", state=str(error))
            return _nothing(settings, "Another look was faster.")
        publishing.metrics(now)
        return publishing.report(now, behind=behind)

    def _count(self, ledger: Ledger, store: Store, publishing: Publishing, now: float) -> bool:
        """Count all looks that are over; return whether there is more than there was time for."""
        settings, watched = self.settings, self.watched
        capture = Capture(
            self.aws.s3,
            settings.artifact_bucket,
            f"capture/{settings.pipeline}/production/{settings.endpoint}/{watched.released.variant}",
        )
        raising, counting = Raising(settings.pipeline, watched, ledger), Counting(watched, ledger, capture.requests)
        complete = True
        while complete and ledger.until + watched.interval + CLOCK_SLACK <= now:
            begin, end = ledger.until, ledger.until + watched.interval
            objects = capture.objects(begin, end)
            complete = counting.count(objects, end, self.has_time)
            # A look without a record changes nothing that is worth a request to S3.
            if objects:
                if complete:
                    raising.of_records(begin)
                store.write(ledger)
                publishing.rows()
        quality = watched.config["quality"]
        if quality is not None:
            place = settings.artifact_bucket, f"ground-truth/{settings.pipeline}/"
            joining = Joining(ledger, capture, self.aws.s3, place, watched.released.since, quality)
            while (joined := joining.join(now, self.has_time)) is not None:
                if joined:
                    raising.of_outcomes(ledger.quality_until - HOUR)
                    store.write(ledger)
                    publishing.quality_row()
        return not complete


def _nothing(settings: Settings, sentence: str) -> dict[str, Any]:
    return {"pipeline": settings.pipeline, "release": None, "sentence": sentence, "features": [], "alarms": []}
