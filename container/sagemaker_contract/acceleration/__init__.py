"""The same model as ONNX, which is faster: ``train`` writes it, ``serve`` uses it if its predictions are the same.

The model's folder then also contains ``serving/``:

    sample.json   the number of values in a record, and a few records to warm up the model
    model.onnx    the same model as ONNX
    check.json    the result of the comparison, and the hashes of the model's files that were compared
"""

from __future__ import annotations

FOLDER = "serving"
SAMPLE = "sample.json"
MODEL = "model.onnx"
CHECK = "check.json"
