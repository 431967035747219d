"""The container runtime for a machine with a Docker engine."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from mlops_constructs.local_aws.containers.images import PROGRAMS, ContainerError, Image, ImageStore
from mlops_constructs.local_aws.containers.running import SERVING_PORT, Container, loopback
from mlops_constructs.local_aws.ports import ReservedPort

if TYPE_CHECKING:
    from pathlib import Path

    from mlops_constructs.local_aws.containers.site import ContainerSite

Log = Callable[[str], None]

_ENGINE_SECONDS = 5.0
_COMMAND_SECONDS = 60.0


def engine_problem() -> str | None:
    """The reason why containers cannot run in Docker on this machine; None when they can."""
    if shutil.which("docker") is None:
        return "no docker program is on PATH"
    try:
        answer = subprocess.run(
            ["docker", "info", "--format", "{{.ServerVersion}}"],
            capture_output=True,
            timeout=_ENGINE_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return "no Docker engine responds"
    # Some versions of the client exit with 0 and print nothing when there is no engine.
    answered = answer.returncode == 0 and answer.stdout.strip() != b""
    return None if answered else "no Docker engine responds"


class DockerRuntime:
    """Builds and runs images with the `docker` program."""

    def __init__(self, site: ContainerSite, images: ImageStore) -> None:
        self._site = site
        self._images = images

    def build(self, context: Path, log: Log, arguments: Sequence[str] = ()) -> Image:
        """Run `docker build`. Raises `ContainerError` when it fails; the output goes to `log`."""
        with self._images.add(context, arguments) as made:
            pass
        image = Image(made.digest, self._images.folder(made.digest))
        given = [word for argument in arguments for word in ("--build-arg", argument)]
        process = self._docker(["build", "--tag", image.name, *given, str(image.context)])
        code = Container(self._site.processes, process, log).finish()
        if code != 0:
            raise ContainerError(f"docker build failed with exit code {code}")
        return image

    def train(self, image: Image, base: Path, environment: Mapping[str, str], log: Log) -> Container:
        """Start `docker run image train`, with `base` mounted at /opt/ml."""
        return self._run(["train"], image, base, [], environment, log)

    def serve(self, image: Image, base: Path, environment: Mapping[str, str], log: Log) -> Container:
        """Start `docker run image serve`, with its port 8080 published on a free loopback port."""
        port = ReservedPort()
        published = ["--publish", f"127.0.0.1:{port.number}:{SERVING_PORT}"]
        try:
            return self._run(["serve"], image, base, published, environment, log, port)
        except BaseException:
            port.release()
            raise

    def run(
        self,
        image: Image,
        base: Path,
        entrypoint: Sequence[str],
        arguments: Sequence[str],
        environment: Mapping[str, str],
        log: Log,
    ) -> Container:
        """Start `docker run image arguments`, with another entry point when one is given."""
        options = ["--entrypoint", entrypoint[0]] if entrypoint else []
        return self._run([*entrypoint[1:], *arguments], image, base, options, environment, log)

    def _run(
        self,
        words: Sequence[str],
        image: Image,
        base: Path,
        options: list[str],
        environment: Mapping[str, str],
        log: Log,
        port: ReservedPort | None = None,
    ) -> Container:
        purpose = words[0] if words and words[0] in PROGRAMS else "run"
        name = f"local-aws-{purpose}-{uuid.uuid4().hex[:12]}"
        variables = {"AWS_REGION": self._site.region, **environment}
        # --env NAME without a value: docker takes the value from its own environment, so that `ps` does not show it.
        given = [word for variable in variables for word in ("--env", variable)]
        volume = ["--volume", f"{base}:/opt/ml"]
        command = ["run", "--rm", "--name", name, *volume, *options, *given, image.name, *words]
        resources = contextlib.ExitStack()
        if port is not None:
            resources.callback(port.release)
        return Container(
            self._site.processes,
            self._docker(command, variables, farewell=["docker", "rm", "--force", name]),
            log,
            end=lambda grace: _stop(name, grace),
            connect=None if port is None else loopback(port.number),
            resources=resources,
        )

    def _docker(
        self,
        arguments: list[str],
        variables: Mapping[str, str] | None = None,
        *,
        farewell: Sequence[str] | None = None,
    ) -> subprocess.Popen[bytes]:
        environment = {**os.environ, **(variables or {})}
        return self._site.processes.start(
            ["docker", *arguments], cwd=self._site.workdir, env=environment, farewell=farewell
        )


def _stop(name: str, grace_seconds: float) -> None:
    """Stop a container; if only the `docker run` client were killed, the container would keep running."""
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        subprocess.run(
            ["docker", "stop", "--time", str(int(grace_seconds)), name],
            capture_output=True,
            timeout=grace_seconds + _COMMAND_SECONDS,
            check=False,
        )
