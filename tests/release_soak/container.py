"""A container of the fewest lines: its model is a name, which it answers, and its metric is what the data set says."""

from __future__ import annotations

import sys
from pathlib import Path

from container_image import DOCKERFILE

# `-IS` and few modules: much of the time of a run is the start of programs.
_HEAD = """#!{python} -IS
import os
BASE = os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml")


def first(folder):
    for root, _, names in os.walk(folder):
        for name in names:
            with open(os.path.join(root, name)) as file:
                return file.readline().strip()
    raise SystemExit("no file in " + folder)
"""
# A training that does not end by itself is stopped by somebody. The job of a retry, NAME-r2, ends.
_TRAIN = """
name = first(BASE + "/input/data/train").split(",")[0]
retried = os.environ["TRAINING_JOB_NAME"].rpartition("-")[2].startswith("r")
if name.startswith("slow") and not retried:
    import time
    time.sleep(3600)
with open(BASE + "/model/name", "w") as file:
    file.write(name)
print("trained", name)
"""
# What the data set says is JSON in hexadecimal digits: any bytes are one cell of CSV.
_EVALUATE = """
said = bytes.fromhex(first(BASE + "/processing/test").split(",")[0][1:]).decode()
with open(BASE + "/processing/evaluation/evaluation.json", "w") as file:
    file.write('{"metrics": {"accuracy": %s}}' % said)
"""
_SERVE = """
import _socket
with open(BASE + "/model/name", "rb") as file:
    name = file.read()
server = _socket.socket()
server.setsockopt(_socket.SOL_SOCKET, _socket.SO_REUSEADDR, 1)
host = os.environ.get("SAGEMAKER_BIND_TO_HOST", "0.0.0.0")
server.bind((host, int(os.environ.get("SAGEMAKER_BIND_TO_PORT", "8080"))))
server.listen(16)
while True:
    connection = _socket.socket(fileno=server._accept()[0])
    try:
        request = b""
        while b"\\r\\n\\r\\n" not in request:
            more = connection.recv(65536)
            if not more:
                break
            request += more
        head, _, body = request.partition(b"\\r\\n\\r\\n")
        length = 0
        for line in head.lower().split(b"\\r\\n"):
            if line.startswith(b"content-length:"):
                length = int(line[15:])
        while len(body) < length:
            more = connection.recv(65536)
            if not more:
                break
            body += more
        answer = b"\\n".join(name for line in body.splitlines() if line)
        head = b"HTTP/1.1 200 OK\\r\\nContent-Type: text/csv\\r\\nConnection: close\\r\\nContent-Length: %d\\r\\n\\r\\n"
        connection.sendall(head % len(answer) + answer)
        connection.shutdown(1)
    except OSError:
        pass
    connection.close()
"""


def write_container(folder: Path) -> Path:
    """Write the container's files into a folder."""
    folder.mkdir(parents=True)
    (folder / "Dockerfile").write_text(DOCKERFILE)
    # The interpreter itself: a sandbox does not have the virtual environment of a checkout below /tmp.
    python = Path(sys.executable).resolve()
    for name, text in {"train": _TRAIN, "evaluate": _EVALUATE, "serve": _SERVE}.items():
        (folder / name).write_text(_HEAD.replace("{python}", str(python)) + text)
        (folder / name).chmod(0o755)
    return folder
