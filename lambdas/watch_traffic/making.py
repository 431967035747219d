"""The baseline of a candidate: of its training data, and of its predictions for rows that it was not trained with.

Nothing about the data stops a release: what cannot be read is not watched, and a sentence says why.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from handler_kit import logs
from handler_kit.report import Success
from watch_traffic.asking import Asked, Candidate, ask_pictures, ask_rows
from watch_traffic.baseline import baseline
from watch_traffic.calibration import Calibration
from watch_traffic.model_monitor import constraints, statistics
from watch_traffic.released import Baselines
from watch_traffic.rows import Layout, UnreadableError, read_channel

if TYPE_CHECKING:
    from watch_traffic.baseline import Baseline
    from watch_traffic.settings import Document, Params, Settings

PREDICTION = "prediction"
TRAIN = "train"


@dataclass
class _Made:
    features: Baseline | None = None
    predictions: Baseline | None = None
    calibration: Calibration | None = None
    notes: list[str] = field(default_factory=list)

    def summary(self) -> str:
        """Return what was made, as text for people."""
        found = []
        if self.features is not None:
            found.append(f"{len(self.features.features)} features of {self.features.rows:,} rows")
        if self.predictions is not None:
            found.append(f"predictions for {self.predictions.rows:,} rows")
        return ". ".join([", ".join(found) or "nothing can be watched", *self.notes])


def make_baseline(params: Params, settings: Settings, document: Document, s3: Any, runtime: Any) -> Success:
    """Make the baseline and store it; that of a model package which has one is kept."""
    place = Baselines(s3, settings.artifact_bucket, settings.pipeline).of(params.model_package_arn)
    outputs = {"BaselineUri": place.uri}
    if place.exists():
        return Success(outputs, summary="the baseline of this model package was made before", external_id=place.uri)
    layout = Layout.of(s3, params.request_uri)
    made = _Made()
    _add_features(made, params, document, layout, s3)
    if document.monitoring["predictions"]:
        candidate = Candidate(runtime, settings.endpoint, document.accept)
        _add_predictions(made, params, document, layout, s3, candidate)
    limit = document.monitoring["plan"]["psi_limit"]
    for prefix, found in (("", made.features), ("prediction_", made.predictions)):
        if found is not None:
            place.put(f"{prefix}statistics.json", statistics(found))
            place.put(f"{prefix}constraints.json", constraints(found, limit))
    # Last, as it says that the baseline is complete.
    calibration = None if made.calibration is None else made.calibration.to_json()
    place.put("baseline.json", {"summary": made.summary(), "notes": made.notes, "calibration": calibration})
    logs.info("baseline made", model_package=params.model_package_arn, summary=made.summary())
    return Success(outputs, summary=made.summary(), external_id=place.uri)


def _add_features(made: _Made, params: Params, document: Document, layout: Layout, s3: Any) -> None:
    try:
        table = read_channel(s3, f"{params.dataset_uri}/{TRAIN}/", layout, document.max_bytes)
        rows = (row.values for row in table.rows)
        made.features = baseline(table.names, rows, params.model_package_arn)
    except (UnreadableError, ValueError) as error:
        made.notes.append(f"The features are not watched: {_reason(error, TRAIN)}")


def _add_predictions(
    made: _Made, params: Params, document: Document, layout: Layout, s3: Any, candidate: Candidate
) -> None:
    channels = params.channels.split(",")
    channel = next((name for name in document.channels if name in channels), None)
    if channel is None:
        made.notes.append(
            f"The predictions are not watched: the data set has no channel {' or '.join(document.channels)}, and a"
            " model is surer on the rows that it was trained with"
        )
        return
    uri = f"{params.dataset_uri}/{channel}/"
    try:
        asked = _asked(candidate, s3, uri, layout, document.max_bytes)
        rows = ([one] for one in asked.predictions)
        made.predictions = baseline([PREDICTION], rows, params.model_package_arn)
    except (UnreadableError, ValueError) as error:
        made.notes.append(f"The predictions are not watched: {_reason(error, channel)}")
        return
    quality = document.monitoring["quality"]
    if quality is not None and quality["estimated"]:
        try:
            made.calibration = Calibration.of(asked.confidences)
        except ValueError:
            why = "the responses have no probabilities of known classes"
            made.notes.append(f"The accuracy is not estimated: {why}")


def _asked(candidate: Candidate, s3: Any, uri: str, layout: Layout, max_bytes: int) -> Asked:
    try:
        return ask_rows(candidate, s3, uri, layout, max_bytes)
    except UnreadableError as error:
        try:
            return ask_pictures(candidate, s3, uri)
        except UnreadableError:
            raise error from None


def _reason(error: Exception, channel: str) -> str:
    return f"channel {channel}: {json.dumps(str(error), ensure_ascii=False)[1:-1]}"
