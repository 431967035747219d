"""One local AWS for many runs, with models that answer their own name."""

from __future__ import annotations

import io
import json
import sys
import tarfile
import tempfile
from collections import defaultdict
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from container_image import DOCKERFILE
from local_aws.tiny_container import REPOSITORY, make_role, push_container
from place_variants import observed
from place_variants.settings import Document
from soaks import shorten_the_way

from ab_soak.calls import Calls
from ab_soak.clock import Clock
from mlops_constructs import ABTest, Endpoint, Rollout
from mlops_constructs.config.requests import AllowedEndpoint, EndpointLimits
from mlops_constructs.deployed import ab_changes, ab_endpoint, ab_report, ab_status, ab_store, ab_test, ab_turn
from mlops_constructs.deployed.clients import connect
from mlops_constructs.local_aws.local_aws import LocalAws
from mlops_constructs.stages.deployment.parameters import fleet_parameters
from mlops_constructs.stages.deployment.template import endpoint_template

if TYPE_CHECKING:
    from types import TracebackType

DATA, ARTIFACTS, GROUP = "soak-data", "soak-artifacts", "soak"
EXITS, SICK = "exits", "sick"
OTHER_TYPE = "ml.c5.large"
_MODELS = 12
# Modules that look at the time.
_TIMED = (ab_changes, ab_endpoint, ab_report, ab_status, ab_store, ab_test, ab_turn, observed)
_SHIFT_SECONDS = 0.05
_BAKE_SECONDS = 60
# A server of the fewest lines: it answers with what is in its model archive.
_SERVE = """#!{python} -IS
import os, _socket

with open("/opt/ml/model/name" if os.path.exists("/opt/ml/model/name") else
          os.environ["SAGEMAKER_BASE_DIR"] + "/model/name", "rb") as file:
    name = file.read()
if name == b"exits":
    raise SystemExit("the model cannot be loaded")
status = b"503 Sick" if name == b"sick" else b"200 OK"
head = b"HTTP/1.1 %s\\r\\nContent-Type: text/plain\\r\\nConnection: close\\r\\nContent-Length: %d\\r\\n\\r\\n"
server = _socket.socket()
server.setsockopt(_socket.SOL_SOCKET, _socket.SO_REUSEADDR, 1)
host = os.environ.get("SAGEMAKER_BIND_TO_HOST", "0.0.0.0")
server.bind((host, int(os.environ.get("SAGEMAKER_BIND_TO_PORT", "8080"))))
server.listen(16)
while True:
    connection = _socket.socket(fileno=server._accept()[0])
    request = b""
    while b"\\r\\n\\r\\n" not in request:
        more = connection.recv(65536)
        if not more:
            break
        request += more
    try:
        connection.sendall(head % (status, len(name)) + name)
        connection.shutdown(1)
    except OSError:
        pass
    connection.close()
"""

# Trains until it is stopped.
_TRAIN = """#!/bin/sh
trap "exit 0" TERM
sleep 3600 &
wait
"""


@dataclass(frozen=True)
class Model:
    """A model: what it answers, and what the pipeline knows of it."""

    name: str
    package: str
    image: str
    data: str


class Account:
    """It, from ``with`` on.

    Attributes:
        aws: The local AWS.
        clock: The time of the code that is tested.
        calls: The calls of that code.
        models: The good models.
        bad: By name, models that never serve.
        template: The template of the production endpoint, as JSON.
        document: What PlaceVariants knows.
        static: Parameters that every deployment gets.
        version: Version of the data set.
        lives: By endpoint, when it had which shares of the traffic: see ``_note``.
    """

    def __init__(self) -> None:
        """Prepare it."""
        self.aws = LocalAws(docker=False, iam=False)
        self.clock, self.calls = Clock(), Calls()
        self.lives: dict[str, list[tuple[float, dict[str, float] | None]]] = defaultdict(list)

    def __enter__(self) -> Account:
        """Start it."""
        with ExitStack() as stack:
            self._folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ab-soak-")))
            stack.enter_context(self.aws)
            for module in _TIMED:
                stack.enter_context(patch.object(module, "time", self.clock))
            self._open()
            self._closing = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close it."""
        self._closing.close()

    def _open(self) -> None:
        self._here = shorten_the_way(self.aws)
        self.aws.account.subscribe(self._note)
        self.endpoints = self.aws.sagemaker.endpoints
        self.endpoints.shift_seconds = _SHIFT_SECONDS
        connected = connect(self.aws.region, self.aws.url, ("testing", "testing"))
        known: dict[str, Any] = {}

        def client(service: str) -> Any:
            if service not in known:
                known[service] = self.calls.watch(connected(service))
                self._here.serve(known[service])
            return known[service]

        self.client = client
        self._fill()

    def _fill(self) -> None:
        s3 = self.client("s3")
        for bucket in (DATA, ARTIFACTS):
            s3.create_bucket(Bucket=bucket)
            s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        self.version = s3.put_object(Bucket=DATA, Key="data.csv", Body=b"1,2\n")["VersionId"]
        image = push_container(self.aws, _write_container(self._folder / REPOSITORY))
        self.client("sagemaker").create_model_package_group(ModelPackageGroupName=GROUP)
        self.models = [self._model(f"model-{number}", image) for number in range(_MODELS)]
        self.bad = {name: self._model(name, image) for name in (EXITS, SICK)}
        production = Endpoint.for_production(
            initial_instance_count=1, data_capture=None, rollout=Rollout(wait_interval_in_seconds=_BAKE_SECONDS)
        )
        limits = EndpointLimits(instance_types=[OTHER_TYPE], max_instance_count=6)
        allowed = AllowedEndpoint.of(production, limits)
        fleet = fleet_parameters(production, allowed)
        self.template = json.dumps(endpoint_template(production, allowed, ab_test=True))
        plan = json.loads(json.dumps(ABTest(challenger_weight=0.25).plan()))
        self.document = Document(plan, fleet, list(allowed.instance_types), _BAKE_SECONDS, has_alarms=True)
        self.static = {
            "ExecutionRoleArn": make_role(self.aws, "serving", "sagemaker.amazonaws.com"),
            "KmsKeyArn": self.client("kms").create_key()["KeyMetadata"]["Arn"],
            "CaptureUri": f"s3://{ARTIFACTS}/capture",
        }

    def _model(self, name: str, image: str) -> Model:
        archive, key = io.BytesIO(), f"models/{name}.tar.gz"
        with tarfile.open(fileobj=archive, mode="w:gz") as tar:
            member = tarfile.TarInfo("name")
            member.size = len(name)
            tar.addfile(member, io.BytesIO(name.encode()))
        self.client("s3").put_object(Bucket=ARTIFACTS, Key=key, Body=archive.getvalue())
        package = self.client("sagemaker").create_model_package(ModelPackageGroupName=GROUP)["ModelPackageArn"]
        return Model(name, package, image, f"s3://{ARTIFACTS}/{key}")

    def _note(self, event: dict[str, Any]) -> None:
        """Note which shares an endpoint has from now on; None while they change."""
        if event["detail-type"] != "SageMaker Endpoint State Change":
            return
        endpoint = self.endpoints.find(event["detail"]["EndpointName"])
        if endpoint.fleet is None:
            return
        variants = endpoint.fleet.variants
        moves = any(one.desired_weight not in (None, one.weight) for one in variants)
        total = sum(one.weight for one in variants)
        shares = None if moves or not total else {one.name: one.weight / total for one in variants}
        self.lives[endpoint.name].append((self.clock.time(), shares))


def _write_container(folder: Path) -> Path:
    folder.mkdir()
    (folder / "Dockerfile").write_text(DOCKERFILE)
    # The interpreter itself: a sandbox does not have the virtual environment of a checkout below /tmp.
    python = Path(sys.executable).resolve()
    for name, text in {"serve": _SERVE.format(python=python), "train": _TRAIN}.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    return folder
