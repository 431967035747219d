"""The names of the media types, in a module without imports."""

from __future__ import annotations

CSV = "text/csv"
JSON = "application/json"
JSON_LINES = "application/jsonlines"
NPY = "application/x-npy"
PARQUET = "application/x-parquet"

ANSWER_TYPES = (CSV, JSON, JSON_LINES, NPY)
TEXT_TYPES = frozenset({CSV, JSON, JSON_LINES})
# Other names in use for the same formats.
ALIASES = {
    "application/csv": CSV,
    "application/jsonl": JSON_LINES,
    "application/x-jsonlines": JSON_LINES,
    "application/x-ndjson": JSON_LINES,
    "application/parquet": PARQUET,
    "application/vnd.apache.parquet": PARQUET,
}
