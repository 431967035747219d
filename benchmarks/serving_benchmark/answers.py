"""Compare the server's predictions for 200,000 random records with those of scikit-learn's own ``predict``.

Runs in the container's own virtual environment: python answers.py PORT MODEL_DIR
"""

from __future__ import annotations

import http.client
import json
import sys
from pathlib import Path
from typing import Any

_ROWS = 200_000
# A request with so few records is predicted with ONNX. The first _SINGLE records have one request each.
_BLOCK = 200
_SINGLE = 2000
TOLERANCE = 1e-5


def main() -> None:
    """Compare; print JSON."""
    import joblib
    import numpy as np
    from sagemaker_contract.acceleration.session import OnnxModel

    port, directory = int(sys.argv[1]), Path(sys.argv[2])
    model = joblib.load(directory / "model.joblib")
    records = np.random.default_rng(7).uniform(0, 8, (_ROWS, 4))
    sizes = [1] * _SINGLE + [_BLOCK] * ((_ROWS - _SINGLE) // _BLOCK)
    answers = _ask(port, records.tolist(), sizes)
    wanted = model.predict(records).tolist()
    onnx = OnnxModel((directory / "serving" / "model.onnx").read_bytes(), "probabilities")
    difference = np.abs(np.array(onnx.predict(records)) - model.predict_proba(records)).max()
    different = sum(given != label for given, label in zip(answers, wanted, strict=True))
    print(
        json.dumps(
            {
                "rows": len(answers),
                "different": different,
                "probabilities_differ_by": float(difference),
                "tolerance": TOLERANCE,
            }
        )
    )


def _ask(port: int, records: list[list[float]], sizes: list[int]) -> list[Any]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    answers: list[str] = []
    start = 0
    for size in sizes:
        body = "".join(",".join(map(repr, row)) + "\n" for row in records[start : start + size])
        connection.request("POST", "/invocations", body, {"Content-Type": "text/csv", "Accept": "text/csv"})
        answer = connection.getresponse()
        content = answer.read().decode()
        assert answer.status == 200, content
        answers += content.splitlines()
        start += size
    connection.close()
    return answers


if __name__ == "__main__":
    main()
