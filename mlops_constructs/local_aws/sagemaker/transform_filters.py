"""The data processing of a transform job: filters of input and output, and the join of both.

https://docs.aws.amazon.com/sagemaker/latest/dg/batch-transform-data-processing.html
"""

from __future__ import annotations

import csv
import io
import json
import re
from typing import TYPE_CHECKING, Any

from mlops_constructs.local_aws.sagemaker.job_files import JobError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_constructs.local_aws.service import Params

INPUT, OUTPUT = "SageMakerInput", "SageMakerOutput"
_DOT = re.compile(r"\.([A-Za-z_][\w-]*)")
_BRACKETS = re.compile(r"\.?\[([^\[\]]+)\]")
_NAME = re.compile(r"'([^'.\[\]]+)'")
_INDEX = re.compile(r"(-?\d+)?(:)?(-?\d+)?")

Step = list[str] | list["int | slice"]


class JsonPathError(Exception):
    """The local AWS does not know the expression; the text says which part."""


def parsed(path: str) -> list[tuple[bool, Step]]:
    """The steps of a JSONPath: whether it selects one value, and the names or indexes.

    The operators are AWS's, except the wildcard. Raises `JsonPathError`.
    """
    if not path.startswith("$"):
        raise JsonPathError(f"the JSONPath {path!r} must begin with $")
    steps: list[tuple[bool, Step]] = []
    rest = path[1:]
    while rest:
        match = _DOT.match(rest)
        if match is not None:
            steps.append((True, [match[1]]))
        else:
            match = _BRACKETS.match(rest)
            if match is None:
                raise JsonPathError(f"the local AWS does not know {rest!r} in the JSONPath {path!r}")
            steps.append(_selection(match[1], path))
        rest = rest[match.end() :]
    return steps


def _selection(text: str, path: str) -> tuple[bool, Step]:
    parts = [part.strip() for part in text.split(",")]
    names = [match[1] for part in parts if (match := _NAME.fullmatch(part))]
    if len(names) == len(parts):
        return len(names) == 1, names
    indexes: list[int | slice] = []
    for part in parts:
        match = _INDEX.fullmatch(part)
        if match is None or not part:
            raise JsonPathError(f"the local AWS does not know [{text}] in the JSONPath {path!r}")
        first, last = (None if one is None else int(one) for one in (match[1], match[3]))
        indexes.append(slice(first, last) if match[2] else int(part))
    return len(indexes) == 1 and isinstance(indexes[0], int), indexes


def select(path: str, value: Any) -> Any:
    """What a JSONPath selects. Raises `JobError` for a name or an index that the value does not have."""
    for single, step in parsed(path):
        try:
            if single:
                value = value[step[0]]
            elif isinstance(step[0], str):
                value = {name: value[name] for name in step}
            else:
                value = list(_of_list(value, step))
        except (KeyError, IndexError, TypeError) as error:
            raise JobError(f"ClientError: the filter {path} does not fit the record: {error!r}") from error
    return value


def _of_list(value: Any, step: Step) -> Iterator[Any]:
    for one in step:
        if isinstance(one, slice):
            yield from value[one]
        else:
            yield value[one]


class DataProcessing:
    """The filters of one job."""

    def __init__(self, request: Params) -> None:
        """Read the request's `DataProcessing`."""
        given = request.get("DataProcessing", {})
        self._input, self._output = given.get("InputFilter") or "$", given.get("OutputFilter") or "$"
        self._joins = given.get("JoinSource", "None") == "Input"
        self._is_csv = request["TransformInput"].get("ContentType") == "text/csv"

    @property
    def reads_input(self) -> bool:
        """Whether records are decoded before they are sent."""
        return self._input != "$"

    @property
    def reads_output(self) -> bool:
        """Whether results are decoded before they are stored."""
        return self._joins or self._output != "$"

    def of_input(self, record: bytes) -> bytes:
        """The part of a record that the container gets."""
        return self._encoded(select(self._input, self._decoded(record, "input")))

    def of_output(self, records: list[bytes], result: bytes) -> bytes:
        """The stored lines for the records of one request. Raises `JobError` when their numbers differ."""
        lines = result.rstrip(b"\n").split(b"\n")
        if len(lines) != len(records):
            raise JobError(
                f"AlgorithmError: the container returned {len(lines)} lines for {len(records)} records, which cannot"
                " be joined"
            )
        return b"\n".join(self._stored(record, line) for record, line in zip(records, lines, strict=True))

    def _stored(self, record: bytes, line: bytes) -> bytes:
        output = self._decoded(line, "output")
        if self._joins:
            output = self._joined(self._decoded(record, "input"), output)
        return self._encoded(select(self._output, output))

    def _joined(self, given: Any, output: Any) -> Any:
        if self._is_csv:
            return [*given, *output]
        return {**given, OUTPUT: output} if isinstance(given, dict) else {INPUT: given, OUTPUT: output}

    def _decoded(self, line: bytes, what: str) -> Any:
        try:
            text = line.decode()
            if not self._is_csv:
                return json.loads(text)
            return next(csv.reader(io.StringIO(text, newline="")), [])
        except (ValueError, csv.Error, RecursionError) as error:
            kind = "CSV" if self._is_csv else "JSON"
            side = "ClientError" if what == "input" else "AlgorithmError"
            raise JobError(f"{side}: Failed to parse {what} as {kind}: {error}") from error

    def _encoded(self, value: Any) -> bytes:
        if not self._is_csv:
            return json.dumps(value).encode()
        text = io.StringIO(newline="")
        csv.writer(text, lineterminator="").writerow(value if isinstance(value, list) else [value])
        return text.getvalue().encode()
