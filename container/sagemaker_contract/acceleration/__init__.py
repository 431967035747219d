"""The model in a second, faster form: ONNX, written by ``train``, used by ``serve`` where the answers are the same.

A model's folder then also holds ``serving/``:

    sample.json   the width of a record, and a few records to warm up with
    model.onnx    the same model as ONNX
    check.json    what was compared, and the hashes of the model's files it was compared with
"""

from __future__ import annotations

FOLDER = "serving"
SAMPLE = "sample.json"
MODEL = "model.onnx"
CHECK = "check.json"
