"""A container in the shape of AWS's sample "bring your own scikit-learn": nginx before gunicorn and Flask, /opt/ml."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

DOCKERFILE = """\
# Trains and serves with the same image.
FROM ubuntu:22.04

RUN apt-get -y update && apt-get install -y --no-install-recommends \\
         python3-pip \\
         nginx \\
         ca-certificates \\
    && rm -rf /var/lib/apt/lists/*
RUN pip install --no-cache-dir flask gunicorn

ENV PYTHONUNBUFFERED=TRUE
ENV PATH="/opt/program:${PATH}"

COPY nearest_mean /opt/program
WORKDIR /opt/program
"""
TRAIN = """#!/usr/bin/env python3
import csv, json, os, sys, traceback

prefix = "/opt/ml/"
model_path = os.path.join(prefix, "model")


def rows(channel):
    folder = os.path.join(prefix, "input/data", channel)
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name)) as file:
            yield from ((row[0], [float(cell) for cell in row[1:]]) for row in csv.reader(file))


def train():
    try:
        with open(os.path.join(prefix, "input/config/hyperparameters.json")) as file:
            json.load(file)
        found = {}
        for label, features in rows("train"):
            found.setdefault(label, []).append(features)
        means = {label: [sum(column) / len(many) for column in zip(*many)] for label, many in found.items()}
        from predictor import nearest

        right = [label == nearest(means, features) for label, features in rows("validation")]
        print(f"validation:accuracy={sum(right) / len(right)};")
        with open(os.path.join(model_path, "means.json"), "w") as file:
            json.dump(means, file)
    except Exception as error:
        with open(os.path.join(prefix, "output/failure"), "w") as file:
            file.write(f"{error}\\n{traceback.format_exc()}")
        sys.exit(255)


if __name__ == "__main__":
    train()
    sys.exit(0)
"""
SERVE = """#!/usr/bin/env python3
import multiprocessing, os, signal, subprocess, sys

workers = int(os.environ.get("MODEL_SERVER_WORKERS", multiprocessing.cpu_count()))


def stop(nginx, gunicorn):
    for process, number in ((nginx, signal.SIGQUIT), (gunicorn, signal.SIGTERM)):
        try:
            os.kill(process, number)
        except OSError:
            pass
    sys.exit(0)


subprocess.check_call(["ln", "-sf", "/dev/stdout", "/var/log/nginx/access.log"])
subprocess.check_call(["ln", "-sf", "/dev/stderr", "/var/log/nginx/error.log"])
nginx = subprocess.Popen(["nginx", "-c", "/opt/program/nginx.conf"])
gunicorn = subprocess.Popen(
    ["gunicorn", "--timeout", "60", "-b", "unix:/tmp/gunicorn.sock", "-w", str(workers), "wsgi:app"]
)
signal.signal(signal.SIGTERM, lambda *_: stop(nginx.pid, gunicorn.pid))
while os.wait()[0] not in (nginx.pid, gunicorn.pid):
    pass
stop(nginx.pid, gunicorn.pid)
"""
NGINX = """\
worker_processes 1;
daemon off;
pid /tmp/nginx.pid;
error_log /var/log/nginx/error.log;
events {}
http {
  access_log /var/log/nginx/access.log combined;
  upstream gunicorn { server unix:/tmp/gunicorn.sock; }
  server {
    listen 8080 deferred;
    client_max_body_size 5m;
    location ~ ^/(ping|invocations) {
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header Host $http_host;
      proxy_redirect off;
      proxy_pass http://gunicorn;
    }
    location / { return 404 "{}"; }
  }
}
"""
PREDICTOR = """
import json, math, os


def nearest(means, features):
    return min(means, key=lambda label: math.dist(means[label], features))


def make_app():
    import flask

    app = flask.Flask(__name__)
    with open(os.path.join("/opt/ml/", "model", "means.json")) as file:
        means = json.load(file)

    @app.route("/ping", methods=["GET"])
    def ping():
        return flask.Response(response="\\n", status=200, mimetype="application/json")

    @app.route("/invocations", methods=["POST"])
    def invocations():
        if flask.request.content_type != "text/csv":
            return flask.Response(response="This predictor only supports CSV data", status=415, mimetype="text/plain")
        lines = flask.request.data.decode("utf-8").splitlines()
        answers = [nearest(means, [float(cell) for cell in line.split(",")]) for line in lines]
        return flask.Response(response="\\n".join(answers) + "\\n", status=200, mimetype="text/csv")

    return app
"""
WSGI = "from predictor import make_app\n\napp = make_app()\n"


def write_sample(folder: Path) -> Path:
    """Write the container's files into a folder."""
    program = folder / "nearest_mean"
    program.mkdir(parents=True)
    (folder / "Dockerfile").write_text(DOCKERFILE)
    files = {"train": TRAIN, "serve": SERVE, "nginx.conf": NGINX, "predictor.py": PREDICTOR, "wsgi.py": WSGI}
    for name, text in files.items():
        (program / name).write_text(text)
        (program / name).chmod(0o755 if text.startswith("#!") else 0o644)
    return folder
