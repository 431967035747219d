"""Compare, for 5 MB of CSV, the container's parser with pandas, and a whole request with parsing and predicting alone.

Runs in the container's own virtual environment, with pandas: python large_body.py PORT MODEL_DIR
"""

from __future__ import annotations

import http.client
import io
import json
import statistics
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_BYTES = 5_000_000
_ROUNDS = 9


def main() -> None:
    """Measure in turns; print JSON."""
    import algorithm
    import numpy as np
    import pandas
    from sagemaker_contract.formats.csv_text import decode_csv

    port, model = int(sys.argv[1]), algorithm.load(Path(sys.argv[2]))
    rows = np.random.default_rng(0).uniform(0.1, 7.9, (330_000, 4)).round(1)
    body = "".join(",".join(map(str, row)) + "\n" for row in rows.tolist()).encode()[:_BYTES]
    body = body[: body.rindex(b"\n") + 1]
    records = decode_csv(body)
    assert (records == pandas.read_csv(io.BytesIO(body), header=None).to_numpy()).all()
    times: dict[str, list[float]] = {"pandas": [], "ours": [], "predict": [], "request": []}
    for _ in range(_ROUNDS):
        times["pandas"].append(_timed(lambda: pandas.read_csv(io.BytesIO(body), header=None).to_numpy()))
        times["ours"].append(_timed(lambda: decode_csv(body)))
        times["predict"].append(_timed(lambda: algorithm.predict(model, records)))
        times["request"].append(_timed(lambda: _ask(port, body)))
    turns = [dict(zip(times, turn, strict=True)) for turn in zip(*times.values(), strict=True)]
    result: dict[str, Any] = {
        "rows": len(records),
        "rows_per_second": {name: round(len(records) / statistics.median(found)) for name, found in times.items()},
        "parse_to_pandas": [round(turn["pandas"] / turn["ours"], 2) for turn in turns],
        "request_to_parse_and_predict": [
            round(turn["request"] / (turn["ours"] + turn["predict"]), 2) for turn in turns
        ],
    }
    print(json.dumps(result))


def _timed(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def _ask(port: int, body: bytes) -> bytes:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("POST", "/invocations", body, {"Content-Type": "text/csv"})
    answer = connection.getresponse()
    content = answer.read()
    assert answer.status == 200, content
    connection.close()
    return content


if __name__ == "__main__":
    main()
