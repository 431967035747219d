"""Outcomes of requests ("ground truth"), in the form of SageMaker Model Monitor, by which an A/B test judges."""

from __future__ import annotations

import csv
import hashlib
import json
import re
from dataclasses import dataclass
from datetime import datetime, timezone
from itertools import islice
from typing import TYPE_CHECKING, Any

from ..errors import MlopsError
from .clients import explained

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from .pipeline import DeployedPipeline

_HEADER = ["inference_id", "outcome"]
_SHOWN = 10
# https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html
_ID = re.compile(r"[!-~][ -~]{0,63}")
# What judges reads an object as a whole.
_LINES_PER_OBJECT = 50_000


@dataclass(frozen=True, slots=True)
class Outcome:
    """One line.

    Attributes:
        line: Its number in the file.
        inference_id: The request's InferenceId.
        data: The outcome.
        encoding: Of the outcome, as Model Monitor names it.
        problem: What is wrong with the line; empty if nothing is.
    """

    line: int
    inference_id: str = ""
    data: str = ""
    encoding: str = "CSV"
    problem: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return it as Model Monitor has it.

        https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-model-quality-merge.html
        """
        return {
            "groundTruthData": {"data": self.data, "encoding": self.encoding},
            "eventMetadata": {"eventId": self.inference_id},
            "eventVersion": "0",
        }


def upload_outcomes(
    pipeline: DeployedPipeline, files: Sequence[Path], now: datetime | None = None
) -> tuple[int, list[str]]:
    """Check every line of the files, then upload them; return how many outcomes there were, and the objects' URIs.

    Args:
        pipeline: The pipeline whose endpoint answered.
        files: CSV with the header ``inference_id,outcome``, or JSON Lines in Model Monitor's form.
        now: When the outcomes were collected; unless given, now.

    Raises:
        MlopsError: with the problems of all files, before anything was uploaded; or when AWS refuses.
    """
    for path in files:
        if path.exists() and not path.is_file():
            raise MlopsError(f"{path} is not a file; nothing was uploaded")
    problems = [f"{path}, line {one.line}: {one.problem}" for path in files for one in read(path) if one.problem]
    if problems:
        more = [f"and {len(problems) - _SHOWN} more"] if len(problems) > _SHOWN else []
        raise MlopsError("; ".join([*problems[:_SHOWN], *more]) + "; nothing was uploaded")
    hour = (now or datetime.now(timezone.utc)).strftime("%Y/%m/%d/%H")
    count, uris = 0, []
    for path in files:
        outcomes = read(path)
        while chunk := list(islice(outcomes, _LINES_PER_OBJECT)):
            uris.append(_put(pipeline, f"ground-truth/{pipeline.name}/{hour}", path.stem, chunk))
            count += len(chunk)
    return count, uris


def read(path: Path) -> Iterator[Outcome]:
    """Yield the outcomes of a file, those with a problem too."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            first = next((line for line in file if line.strip()), "")
            file.seek(0)
            empty = True
            for outcome in _json_lines(file) if first.lstrip().startswith("{") else _csv(file):
                empty = False
                yield outcome
    except UnicodeDecodeError as error:
        raise MlopsError(
            f"{path} is not UTF-8 text: {error.reason} at byte {error.start}; nothing was uploaded"
        ) from None
    if empty:
        yield Outcome(1, problem="the file has no outcomes")


def _csv(lines: Iterator[str]) -> Iterator[Outcome]:
    rows = csv.reader(lines)
    try:
        header = [cell.strip() for cell in next(filter(None, rows), _HEADER)]
        if header != _HEADER:
            found = ",".join(header)[:80]
            yield Outcome(rows.line_num, problem=f"the header must be {','.join(_HEADER)}, got {found!r}")
            return
        for row in rows:
            if row:
                yield _row(rows.line_num, row)
    except csv.Error as error:
        yield Outcome(rows.line_num, problem=f"is not CSV: {error}")


def _row(line: int, row: Sequence[str]) -> Outcome:
    if len(row) != len(_HEADER):
        return Outcome(line, problem=f"must have 2 values, got {len(row)}")
    inference_id, outcome = row[0].strip(), row[1].strip()
    return _checked(Outcome(line, inference_id, outcome))


def _json_lines(lines: Iterator[str]) -> Iterator[Outcome]:
    for number, text in enumerate(lines, 1):
        if text.strip():
            yield _json_line(number, text)


def _json_line(number: int, text: str) -> Outcome:
    try:
        given = json.loads(text)
    except (ValueError, RecursionError) as error:
        return Outcome(number, problem=f"is not JSON: {error}")
    try:
        truth, inference_id = given["groundTruthData"], given["eventMetadata"]["eventId"]
        outcome, encoding = truth["data"], truth.get("encoding", "CSV")
    except (KeyError, TypeError, AttributeError):
        return Outcome(number, problem="must have groundTruthData.data and eventMetadata.eventId")
    if not all(isinstance(one, str) for one in (inference_id, outcome, encoding)):
        return Outcome(number, problem="data, encoding and eventId must be strings")
    return _checked(Outcome(number, inference_id, outcome, encoding))


def _checked(one: Outcome) -> Outcome:
    problem = ""
    if not one.inference_id:
        problem = "has no inference id"
    elif not _ID.fullmatch(one.inference_id):
        problem = (
            "the inference id must be 1 to 64 printable ASCII characters, the first not a space, got"
            f" {one.inference_id[:80]!r} ({len(one.inference_id)} characters)"
        )
    elif not one.data:
        problem = "has no outcome"
    return Outcome(one.line, one.inference_id, one.data, one.encoding, problem)


def _put(pipeline: DeployedPipeline, folder: str, stem: str, outcomes: Sequence[Outcome]) -> str:
    body = "".join(f"{json.dumps(one.to_json())}\n" for one in outcomes).encode()
    # The same outcomes get the same name, so that an upload that is repeated at once changes nothing.
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", stem)[:80]
    key = f"{folder}/{name}-{hashlib.sha256(body).hexdigest()[:16]}.jsonl"
    with explained(f"the outcomes could not be uploaded to {pipeline.artifact_bucket}"):
        pipeline.client("s3").put_object(
            Bucket=pipeline.artifact_bucket, Key=key, Body=body, ContentType="application/x-ndjson"
        )
    return f"s3://{pipeline.artifact_bucket}/{key}"
