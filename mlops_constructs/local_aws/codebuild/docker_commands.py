"""The commands of a build's `docker` program: login, build, tag and push, executed by the local AWS."""

from __future__ import annotations

import argparse
import contextlib
import json
import secrets
import socketserver
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from botocore.exceptions import ClientError

from mlops_constructs.local_aws.access.access import DeniedError
from mlops_constructs.local_aws.codebuild.docker_shim import KEY_VARIABLE, PORT_VARIABLE
from mlops_constructs.local_aws.containers.images import ContainerError, Image
from mlops_constructs.local_aws.ecr.images import ImageUri, push
from mlops_constructs.local_aws.iam.service_roles import role_use_checks

if TYPE_CHECKING:
    from mlops_constructs.local_aws.account import Account
    from mlops_constructs.local_aws.containers.host import ContainerHost

Print = Callable[[str], None]


class DockerError(Exception):
    """The message that docker prints before it exits with code 1."""


class DockerCommands:
    """The docker commands of one build; other builds do not see its logins and tags."""

    def __init__(self, account: Account, containers: ContainerHost, credentials: Mapping[str, Any]) -> None:
        self._account = account
        self._containers = containers
        self._credentials = credentials
        self._logins: set[str] = set()
        self._tags: dict[str, Image] = {}

    def run(self, arguments: list[str], directory: Path, given: str, out: Print) -> None:
        """Execute one docker command. Raises `DockerError`."""
        commands = {
            "login": lambda: self._login(arguments[1:], given, out),
            "build": lambda: self._build(arguments[1:], directory, out),
            "tag": lambda: self._tag(arguments[1:]),
            "push": lambda: self._push(arguments[1:], out),
        }
        name = arguments[0] if arguments else ""
        if name not in commands:
            raise DockerError(f"docker in the local AWS supports {', '.join(commands)}, not {name!r}")
        try:
            commands[name]()
        except ContainerError as error:
            raise DockerError(str(error)) from error

    def _login(self, arguments: list[str], given: str, out: Print) -> None:
        parser = _Parser("login")
        parser.add_argument("-u", "--username", required=True)
        parser.add_argument("-p", "--password", default="")
        parser.add_argument("--password-stdin", action="store_true")
        parser.add_argument("server")
        options = parser.parse_args(arguments)
        password = given.strip() if options.password_stdin else options.password
        if options.username != "AWS" or not password:
            raise DockerError("Error response from daemon: login attempt failed with status: 400 Bad Request")
        self._logins.add(options.server.removeprefix("https://").split("/")[0])
        out("Login Succeeded")

    def _build(self, arguments: list[str], directory: Path, out: Print) -> None:
        parser = _Parser("build")
        parser.add_argument("-t", "--tag", action="append", default=[])
        parser.add_argument("-f", "--file", default="Dockerfile")
        parser.add_argument("--build-arg", action="append", default=[])
        for ignored in ("--platform", "--progress", "--label", "--provenance", "--sbom", "--cache-from"):
            parser.add_argument(ignored, action="append")
        for ignored in ("--pull", "--no-cache", "--quiet"):
            parser.add_argument(ignored, action="store_true")
        parser.add_argument("context")
        options = parser.parse_args(arguments)
        context = (directory / options.context).resolve()
        if (directory / options.file).resolve() not in ((directory / "Dockerfile").resolve(), context / "Dockerfile"):
            raise DockerError(f"the local AWS supports only the Dockerfile of the build context, not {options.file}")
        image = self._containers.runtime.build(context, out, options.build_arg)
        for tag in options.tag:
            self._tags[_with_tag(tag)] = image
        out(f"built {image.digest}" + (f" as {', '.join(options.tag)}" if options.tag else ""))

    def _tag(self, arguments: list[str]) -> None:
        parser = _Parser("tag")
        parser.add_argument("source")
        parser.add_argument("target")
        options = parser.parse_args(arguments)
        self._tags[_with_tag(options.target)] = self._tagged(options.source)

    def _push(self, arguments: list[str], out: Print) -> None:
        parser = _Parser("push")
        parser.add_argument("-q", "--quiet", action="store_true")
        parser.add_argument("reference")
        reference = parser.parse_args(arguments).reference
        image = self._tagged(reference)
        uri = ImageUri.parse(_with_tag(reference))
        out(f"The push refers to repository [{uri.registry}/{uri.repository}]")
        if uri.registry not in self._logins:
            raise DockerError("no basic auth credentials")
        repository = self._account.arn("ecr", f"repository/{uri.repository}", account_id=uri.account)
        try:
            pushes = role_use_checks("docker push", {"repository_arn": repository})
            self._account.access.check_role(self._credentials, pushes)
            digest = push(self._account, image, uri, self._credentials)
        except DeniedError as error:
            raise DockerError(f"denied: {error}") from error
        except ClientError as error:
            raise DockerError(self._refusal(uri, error)) from error
        out(f"{uri.tag}: digest: {digest} size: {len(image.manifest())}")

    def _refusal(self, uri: ImageUri, error: ClientError) -> str:
        code = error.response["Error"]["Code"]
        if code in ("ImageAlreadyExistsException", "ImageTagAlreadyExistsException"):
            return (
                f"tag invalid: The image tag '{uri.tag}' already exists in the '{uri.repository}' repository "
                f"and cannot be overwritten because the tag is immutable."
            )
        if code == "RepositoryNotFoundException":
            return f"name unknown: {error.response['Error']['Message']}"
        return f"denied: {error.response['Error']['Message']}"

    def _tagged(self, reference: str) -> Image:
        image = self._tags.get(_with_tag(reference))
        if image is None:
            raise DockerError(f"An image does not exist locally with the tag: {reference}")
        return image


class DockerServer(socketserver.ThreadingTCPServer):
    """Serves the docker programs of one build on a loopback port; a client must send the server's key."""

    daemon_threads = True

    def __init__(self, commands: DockerCommands) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.commands = commands
        self.key = secrets.token_hex(32)
        threading.Thread(target=self.serve_forever, args=(0.05,), name="docker", daemon=True).start()

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables with which the docker programs find this server."""
        return {PORT_VARIABLE: str(self.server_address[1]), KEY_VARIABLE: self.key}

    def close(self) -> None:
        """Stop serving."""
        self.shutdown()
        self.server_close()


class _Handler(socketserver.StreamRequestHandler):
    server: DockerServer

    def handle(self) -> None:
        request = json.loads(self.rfile.readline())
        if not secrets.compare_digest(request["key"], self.server.key):
            return
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # the build was stopped
            self._send({"exit": self._run(request)})

    def _run(self, request: dict[str, Any]) -> int:
        def out(text: str) -> None:
            self._send({"text": text, "error": False})

        try:
            directory = Path(request["directory"])
            self.server.commands.run(request["arguments"], directory, request["input"], out)
        except DockerError as error:
            self._send({"text": str(error), "error": True})
            return 1
        return 0

    def _send(self, answer: dict[str, Any]) -> None:
        self.wfile.write(json.dumps(answer).encode() + b"\n")


def _with_tag(reference: str) -> str:
    return reference if ":" in reference.rsplit("/", 1)[-1] else f"{reference}:latest"


class _Parser(argparse.ArgumentParser):
    def __init__(self, command: str) -> None:
        super().__init__(prog=f"docker {command}", add_help=False)

    def error(self, message: str) -> NoReturn:
        raise DockerError(f"{self.prog}: {message}")
