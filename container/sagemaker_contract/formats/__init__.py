"""Media types: decode request bodies to records, encode predictions to response bodies.

A new format needs a name, a decoder that keeps within the limits, an encoder, and a line in each table below.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from sagemaker_contract.formats.binary import decode_npy, encode_npy
from sagemaker_contract.formats.csv_text import decode_csv, encode_csv
from sagemaker_contract.formats.json_text import decode_json, decode_json_lines, encode_json, encode_json_lines
from sagemaker_contract.formats.media_types import CSV, JSON, JSON_LINES, NPY, PARQUET
from sagemaker_contract.formats.parquet import decode_parquet

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sagemaker_contract.formats.limits import Limits
    from sagemaker_contract.formats.records import Records

    Decoder = Callable[[bytes, Limits], Records]
    Encoder = Callable[[Sequence[Any]], bytes]

DECODERS: dict[str, Decoder] = {
    CSV: decode_csv,
    JSON: decode_json,
    JSON_LINES: decode_json_lines,
    NPY: decode_npy,
    **({PARQUET: decode_parquet} if find_spec("pyarrow") else {}),
}
ENCODERS: dict[str, Encoder] = {
    CSV: encode_csv,
    JSON: encode_json,
    JSON_LINES: encode_json_lines,
    NPY: encode_npy,
}
