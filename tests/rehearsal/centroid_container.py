"""A container that classifies by the nearest class mean, in words of its own or in those of SageMaker's XGBoost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from container_image import DOCKERFILE

if TYPE_CHECKING:
    from pathlib import Path

# The built-in XGBoost takes labels as numbers, prints metrics with tabs and answers all rows in one line.
MODEL = """
import csv, json, math, os
from pathlib import Path

BASE = Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml"))
BUILT_IN = {built_in}


def rows(channel):
    with next((BASE / "input/data" / channel).rglob("*.csv")).open() as file:
        return [(row[0], [float(value) for value in row[1:]]) for row in csv.reader(file) if row]


def fit(train):
    means = {{}}
    for label in sorted({{label for label, _ in train}}):
        mine = [features for other, features in train if other == label]
        means[label] = [sum(column) / len(mine) for column in zip(*mine)]
    return means


def predict(means, features):
    label = min(means, key=lambda name: math.dist(means[name], features))
    return str(float(label)) if BUILT_IN else label


def accuracy(means, found):
    right = [predict(means, features) == (str(float(label)) if BUILT_IN else label) for label, features in found]
    return sum(right) / len(right)
"""
TRAIN = """#!/usr/bin/env python3
import json
from model import BASE, BUILT_IN, accuracy, fit, rows

given = json.loads((BASE / "input/config/hyperparameters.json").read_text())
means = fit(rows("train"))
score = accuracy(means, rows("validation"))
if BUILT_IN:
    for number in range(int(given["num_round"]) // 50):
        print(f"[{number}]\\ttrain-accuracy:{accuracy(means, rows('train')):.5f}\\tvalidation-accuracy:{score:.5f}")
else:
    print(f"validation:accuracy={score};")
(BASE / "model/model.json").write_text(json.dumps(means))
"""
SERVE = """#!/usr/bin/env python3
import json, os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from model import BASE, BUILT_IN, predict

means = json.loads((BASE / "model/model.json").read_text())


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.reply(b"")

    def do_POST(self):
        lines = self.rfile.read(int(self.headers["Content-Length"])).decode().splitlines()
        answers = [predict(means, [float(value) for value in line.split(",")]) for line in lines]
        self.reply((",".join(answers) if BUILT_IN else "\\n".join(answers)).encode())

    def reply(self, body):
        self.send_response(200)
        self.send_header("Content-Type", "text/csv; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


place = os.environ.get("SAGEMAKER_BIND_TO_HOST", "0.0.0.0"), int(os.environ.get("SAGEMAKER_BIND_TO_PORT", "8080"))
ThreadingHTTPServer(place, Handler).serve_forever()
"""


def write_container(folder: Path, style: Literal["own", "xgboost"]) -> Path:
    """Write the container's files into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "Dockerfile").write_text(DOCKERFILE)
    (folder / "model.py").write_text(MODEL.format(built_in=style == "xgboost"))
    for name, text in {"train": TRAIN, "serve": SERVE}.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    return folder
