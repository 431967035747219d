"""A container of a few lines for tests: no requirements, and faults on demand."""

from __future__ import annotations

import contextlib
import io
import json
import tarfile
import time
import zipfile
from typing import TYPE_CHECKING, Any

from container_image import DOCKERFILE
from patience import PATIENCE_SECONDS

from mlops_constructs.local_aws.ecr.images import ImageUri, push
from mlops_constructs.local_aws.local_aws import LocalAws
from mlops_constructs.local_aws.roles import role_credentials

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


TRAIN = """#!/usr/bin/env python3
import json, os, sys, time
from pathlib import Path

base = Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml"))
wanted = json.loads((base / "input/config/hyperparameters.json").read_text())
rows = (base / "input/data/train/train.csv").read_text().split()
print("validation:accuracy=0.5;")
print(f"validation:accuracy=0.9{len(rows)};")
time.sleep(float(wanted.get("sleep", "0")))
if "failure" in wanted:
    (base / "output/failure").write_text(wanted["failure"])
    sys.exit(1)
if "crash" in wanted:
    sys.exit("Traceback: it broke")
(base / "model/model.json").write_text(json.dumps({"answer": wanted.get("answer", "setosa")}))
(base / "output/data/report.txt").write_text("seen: " + ",".join(sorted(os.environ.get("TOLD", "").split())))
"""

SERVE = """#!/usr/bin/env python3
import json, os, sys, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

model = json.loads((Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml")) / "model/model.json").read_text())
mode = os.environ.get("MODE", "")
print("serving in mode", mode or "normal")
if mode == "exit":
    sys.exit("the model cannot be loaded")


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.reply(503 if mode == "sick" else 200, b"")

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if body == b"bad":
            return self.reply(400, b"no such row")
        if mode == "broken":
            return self.reply(500, b"broken")
        seen = {name: self.headers.get(name) for name in ("Content-Type", "Accept")}
        self.reply(200, json.dumps({**model, **seen, "rows": body.decode()}).encode())

    def reply(self, status, body):
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        attributes = self.headers.get("X-Amzn-SageMaker-Custom-Attributes")
        if attributes:
            self.send_header("X-Amzn-SageMaker-Custom-Attributes", attributes)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


port = int(os.environ.get("SAGEMAKER_BIND_TO_PORT", "8080"))
ThreadingHTTPServer((os.environ.get("SAGEMAKER_BIND_TO_HOST", "0.0.0.0"), port), Handler).serve_forever()
"""

REPOSITORY = "tiny"


@contextlib.contextmanager
def local_aws() -> Iterator[LocalAws]:
    """A local AWS that runs containers as processes, on machines with a Docker engine too."""
    with LocalAws(docker=False) as aws:
        yield aws


def write_container(folder: Path) -> Path:
    """Write the container's files into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "Dockerfile").write_text(DOCKERFILE)
    for name, text in {"train": TRAIN, "serve": SERVE}.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    return folder


def push_container(aws: LocalAws, folder: Path, repository: str = REPOSITORY) -> str:
    """Build and push a container; returns its URI with the digest."""
    aws.client("ecr").create_repository(repositoryName=repository)
    registry = f"{aws.account_id}.dkr.ecr.{aws.region}.amazonaws.com"
    image = aws.containers.runtime.build(folder, aws.log)
    digest = push(aws.account, image, ImageUri(registry, repository, "v1", None), admin_credentials(aws))
    return f"{registry}/{repository}@{digest}"


def admin_credentials(aws: LocalAws) -> dict[str, Any]:
    """Credentials of a role that everything may assume."""
    return role_credentials(aws.account, make_role(aws, "administrator", "ec2.amazonaws.com"), "test")


def make_role(aws: LocalAws, name: str, service: str) -> str:
    """A role that a service may assume and that may do everything; returns its ARN."""
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": service}}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    role = aws.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=trust)
    allow_everything(aws, name)
    return str(role["Role"]["Arn"])


def allow_everything(aws: LocalAws, role_name: str) -> None:
    """Let a role do everything: permissions are what other tests are about."""
    statement = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": statement})
    aws.client("iam").put_role_policy(RoleName=role_name, PolicyName="everything", PolicyDocument=document)


@contextlib.contextmanager
def forbidden(aws: LocalAws, role_name: str, *actions: str) -> Iterator[None]:
    """For a while, forbid a role some actions."""
    document = json.dumps(
        {"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": actions, "Resource": "*"}}
    )
    iam = aws.client("iam")
    iam.put_role_policy(RoleName=role_name, PolicyName="forbidden", PolicyDocument=document)
    yield
    iam.delete_role_policy(RoleName=role_name, PolicyName="forbidden")


def upload_model(aws: LocalAws, bucket: str, key: str, answer: str) -> str:
    """Put a model archive for `serve` into S3; returns its URI."""
    archive = io.BytesIO()
    content = json.dumps({"answer": answer}).encode()
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        member = tarfile.TarInfo("model.json")
        member.size = len(content)
        tar.addfile(member, io.BytesIO(content))
    aws.client("s3").put_object(Bucket=bucket, Key=key, Body=archive.getvalue())
    return f"s3://{bucket}/{key}"


def zip_of(folder: Path, extra: dict[str, str] | None = None) -> bytes:
    """A zip of a folder that keeps the executable bits."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for path in sorted(folder.rglob("*")):
            archive.write(path, path.relative_to(folder).as_posix())
        for name, text in (extra if extra is not None else {}).items():
            archive.writestr(name, text)
    return packed.getvalue()


def wait_until(condition: Callable[[], Any], timeout_seconds: float = PATIENCE_SECONDS) -> Any:
    """Poll until the condition gives something true, and return it."""
    deadline = time.monotonic() + timeout_seconds
    while not (result := condition()):
        assert time.monotonic() < deadline, "still waiting"
        time.sleep(0.05)
    return result
