"""A container in the shape of AWS's MLOps workshop: one entry point, sagemaker-inference on multi-model-server."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

FILES = {
    "Dockerfile": """\
FROM ubuntu:22.04
LABEL com.amazonaws.sagemaker.capabilities.accept-bind-to-port=true
RUN apt-get update && apt-get install -y --no-install-recommends openjdk-8-jre-headless && rm -rf /var/lib/apt/lists/*
RUN pip install --no-cache-dir 'setuptools<80' multi-model-server==1.1.11 sagemaker-inference==1.10.1
COPY main.py /usr/local/bin/main.py
COPY serving /opt/program/serving
ENV PYTHONPATH=/opt/program
ENTRYPOINT ["python", "/usr/local/bin/main.py"]
CMD ["serve"]
""",
    "main.py": """\
import sys

if sys.argv[1] == "train":
    from serving import training

    training.main()
else:
    from sagemaker_inference import model_server

    model_server.start_model_server(handler_service="serving.handler_service")
""",
    "serving/__init__.py": "",
    "serving/training.py": """\
import csv, json, math, pathlib


def rows(channel):
    for file in sorted(pathlib.Path("/opt/ml/input/data", channel).iterdir()):
        yield from ((row[0], [float(cell) for cell in row[1:]]) for row in csv.reader(file.open()))


def main():
    found = {}
    for label, features in rows("train"):
        found.setdefault(label, []).append(features)
    means = {label: [sum(column) / len(many) for column in zip(*many)] for label, many in found.items()}
    right = [label == min(means, key=lambda one: math.dist(means[one], row)) for label, row in rows("validation")]
    pathlib.Path("/opt/ml/model/means.json").write_text(json.dumps(means))
    print(f"Score: {sum(right) / len(right)}")
""",
    "serving/inference_handler.py": """\
import json, math, os

from sagemaker_inference.default_inference_handler import DefaultInferenceHandler


class InferenceHandler(DefaultInferenceHandler):
    def default_model_fn(self, model_dir):
        with open(os.path.join(model_dir, "means.json")) as file:
            return json.load(file)

    def default_input_fn(self, input_data, content_type):
        return [[float(cell) for cell in line.split(",")] for line in input_data.splitlines()]

    def default_predict_fn(self, data, model):
        return [min(model, key=lambda label: math.dist(model[label], row)) for row in data]

    def default_output_fn(self, prediction, accept):
        return "\\n".join(prediction)
""",
    "serving/handler_service.py": """\
from sagemaker_inference import default_handler_service
from sagemaker_inference.transformer import Transformer

from serving import inference_handler


class HandlerService(default_handler_service.DefaultHandlerService):
    def __init__(self):
        super().__init__(transformer=Transformer(default_inference_handler=inference_handler.InferenceHandler()))
""",
}


def write_workshop(folder: Path) -> Path:
    """Write the container's files into a folder."""
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder
