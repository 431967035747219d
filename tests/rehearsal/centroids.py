"""A container without requirements that learns: the nearest centroid, in the standard library alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from container_image import DOCKERFILE

if TYPE_CHECKING:
    from pathlib import Path

TRAIN = """#!/usr/bin/env python3
import csv, json, os
from pathlib import Path

base = Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml"))
hyperparameters = json.loads((base / "input/config/hyperparameters.json").read_text())


def rows(channel):
    for path in sorted((base / "input/data" / channel).rglob("*.csv")):
        with path.open(newline="") as file:
            yield from ((row[0], [float(cell) for cell in row[1:]]) for row in csv.reader(file) if row)


found = {}
for label, features in rows("train"):
    found.setdefault(label, []).append(features)
centers = {label: [sum(column) / len(many) for column in zip(*many)] for label, many in found.items()}


def nearest(features):
    return min(centers, key=lambda label: sum((a - b) ** 2 for a, b in zip(centers[label], features)))


channel = "validation" if (base / "input/data/validation").is_dir() else "train"
answers = [label == nearest(features) for label, features in rows(channel)]
print(f"validation:accuracy={sum(answers) / len(answers)};")
(base / "model/model.json").write_text(json.dumps(centers))
print("told", json.dumps(hyperparameters, sort_keys=True))
"""

SERVE = """#!/usr/bin/env python3
import json, os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

centers = json.loads((Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml")) / "model/model.json").read_text())


def nearest(line):
    features = [float(cell) for cell in line.split(",")]
    return min(centers, key=lambda label: sum((a - b) ** 2 for a, b in zip(centers[label], features)))


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.reply(b"")

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.reply("".join(nearest(line) + "\\n" for line in body.split()).encode())

    def reply(self, body):
        self.send_response(200)
        self.send_header("Content-Type", "text/csv")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


port = int(os.environ.get("SAGEMAKER_BIND_TO_PORT", "8080"))
ThreadingHTTPServer((os.environ.get("SAGEMAKER_BIND_TO_HOST", "0.0.0.0"), port), Handler).serve_forever()
"""


def write_centroids(folder: Path) -> Path:
    """Write the container's files into a folder."""
    folder.mkdir(parents=True)
    (folder / "Dockerfile").write_text(DOCKERFILE)
    for name, text in {"train": TRAIN, "serve": SERVE}.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    return folder
