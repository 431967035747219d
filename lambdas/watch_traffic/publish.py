"""What a look leaves for people: rows for queries, the report, the violations, and metrics."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from handler_kit import logs
from watch_traffic.alarms import estimate_sentence, findings, quality_sentence
from watch_traffic.captured import HOUR
from watch_traffic.model_monitor import violations

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from watch_traffic.finding import Finding
    from watch_traffic.settings import Settings
    from watch_traffic.state import Ledger
    from watch_traffic.watched import Watched

NAMESPACE = "MLOpsConstructs/Monitoring"
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html
_METRICS_A_REQUEST = 500
_MAX_METRIC_AGE = 14 * 86_400.0 - HOUR
# Metrics cost money by their number.
MAX_FEATURES = 100


@dataclass(frozen=True)
class Publishing:
    """Where the results of a watch go.

    Attributes:
        settings: The bucket and the pipeline.
        s3: The client of S3.
        cloudwatch: That of CloudWatch.
        watched: What is watched.
        ledger: What is known.
    """

    settings: Settings
    s3: Any
    cloudwatch: Any
    watched: Watched
    ledger: Ledger

    @property
    def _folder(self) -> str:
        return f"monitoring/{self.settings.pipeline}/"

    def rows(self) -> None:
        """Write the rows of the hour whose records were counted last: the last look of an hour has the last word."""
        window = max((watch.recent.windows[-1].begin for watch in self._seen()), default=None)
        if window is None:
            return
        release, name = self.watched.released, self.watched.released.name
        begin = datetime.fromtimestamp(window, timezone.utc)
        known = {"release": name, "model_package_arn": release.package, "window": f"{begin:%Y-%m-%d %H:%M:%S}"}
        lines = [json.dumps({**known, **_row(one)}, allow_nan=False) for _, one in findings(self.ledger)]
        self._put(f"features/{begin:year=%Y/month=%m/day=%d/hour=%H}/{self.watched.id}.json", "\n".join(lines) + "\n")

    def quality_row(self) -> None:
        """Write the row of the hour that was joined with outcomes last."""
        quality = self.ledger.quality
        begin = datetime.fromtimestamp(self.ledger.quality_until - HOUR, timezone.utc)
        if quality is None or not quality.records:
            return
        low, high = quality.interval()
        row = {
            "release": self.watched.released.name,
            "model_package_arn": self.watched.released.package,
            "window": f"{begin:%Y-%m-%d %H:%M:%S}",
            "records": quality.records,
            "right": quality.right,
            "low": low,
            "high": high,
            "log10_evidence": quality.log_evidence() / math.log(10.0),
            "alarm": quality.shown is not None,
        }
        self._put(f"quality/{begin:year=%Y/month=%m/day=%d/hour=%H}/{self.watched.id}.json", json.dumps(row) + "\n")

    def report(self, now: float, *, behind: bool) -> dict[str, Any]:
        """Write the report and the violations; return the report."""
        found = [one for _, one in findings(self.ledger)]
        release = self.watched.released
        report: dict[str, Any] = {
            "pipeline": self.settings.pipeline,
            "release": release.number,
            "model_package_arn": release.package,
            "since": release.since,
            "at": now,
            "until": self.ledger.until,
            "behind": behind,
            "features": [{**_row(one), "sentence": one.sentence()} for one in found],
            "quality": None if self.ledger.quality is None else quality_sentence(self.watched, self.ledger),
            "estimated_quality": None
            if self.ledger.estimated is None
            else estimate_sentence(self.watched, self.ledger)[0],
            "alarms": [{name: one[name] for name in one if name not in ("claimed",)} for one in self.ledger.alarms],
            "notes": self.watched.baseline.notes,
            "counts": dict(self.ledger.counts),
        }
        self._put(f"releases/{release.name}/constraint_violations.json", json.dumps(violations(found)))
        self._put("report.json", json.dumps(report, sort_keys=True, allow_nan=False))
        logs.info("production was looked at", release=release.name, alarms=len(self.ledger.alarms), behind=behind)
        return report

    def metrics(self, now: float) -> None:
        """Send the metrics of the last look, unless it is too old for them."""
        if self.ledger.until < now - _MAX_METRIC_AGE:
            return
        found = [one for _, one in findings(self.ledger)]
        data = [self._datum("Alarms", float(len(self.ledger.raised)))]
        if self.watched.config["feature_metrics"]:
            data += [datum for one in found[:MAX_FEATURES] for datum in self._of_feature(one)]
        quality = self.ledger.quality
        if quality is not None and quality.records:
            data.append(self._datum("Accuracy", quality.right / quality.records))
        for start in range(0, len(data), _METRICS_A_REQUEST):
            self.cloudwatch.put_metric_data(Namespace=NAMESPACE, MetricData=data[start : start + _METRICS_A_REQUEST])

    def _of_feature(self, one: Finding) -> Iterator[dict[str, Any]]:
        # Evidence as a share of what is enough: 1 is shown.
        yield self._datum("Evidence", one.log_evidence / one.log_limit, one.feature)
        yield self._datum("PSI", one.psi.value, one.feature)
        if one.wasserstein is not None:
            yield self._datum("Wasserstein", one.wasserstein.value, one.feature)

    def _datum(self, name: str, value: float, feature: str | None = None) -> dict[str, Any]:
        dimensions = [{"Name": "Pipeline", "Value": self.settings.pipeline}]
        if feature is not None:
            dimensions.append({"Name": "Feature", "Value": dimension(feature)})
        at = datetime.fromtimestamp(self.ledger.until, timezone.utc)
        return {"MetricName": name, "Value": value, "Timestamp": at, "Dimensions": dimensions}

    def _seen(self) -> list[Any]:
        return [watch for watch in self.ledger.watches.values() if watch.recent.windows]

    def _put(self, name: str, text: str) -> None:
        self.s3.put_object(
            Bucket=self.settings.artifact_bucket,
            Key=f"{self._folder}{name}",
            Body=text.encode(),
            ContentType="application/json",
        )


def dimension(feature: str) -> str:
    """Return a name as the value of a dimension: printable ASCII, at most 255 characters, not only spaces.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_Dimension.html
    """
    text = "".join(one if " " <= one <= "~" else "?" for one in feature).strip().lstrip(":")
    return text[:255] or "?"


def _row(one: Finding) -> Mapping[str, Any]:
    return {name: value if _is_finite(value) else None for name, value in one.row().items()}


def _is_finite(value: object) -> bool:
    return not isinstance(value, float) or math.isfinite(value)
