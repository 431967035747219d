"""The thread that runs a build."""

from __future__ import annotations

import contextlib
import io
import logging
import shutil
import time
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from mlops_constructs.local_aws.clock import utc_now
from mlops_constructs.local_aws.codebuild.aws_cli import aws_cli
from mlops_constructs.local_aws.codebuild.buildspec import PHASES, Buildspec, BuildspecError
from mlops_constructs.local_aws.codebuild.docker_commands import DockerCommands, DockerServer
from mlops_constructs.local_aws.codebuild.environment import build_variables, shell_environment
from mlops_constructs.local_aws.codebuild.role_use import check_role, source_path
from mlops_constructs.local_aws.codebuild.shell import BuildShell, BuildStoppedError, PhaseError
from mlops_constructs.local_aws.containers.images import ContainerError
from mlops_constructs.local_aws.job_log import JobLog

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from mlops_constructs.local_aws.account import Account
    from mlops_constructs.local_aws.codebuild.build import Build
    from mlops_constructs.local_aws.containers.host import ContainerHost
    from mlops_constructs.local_aws.service import Params

logger = logging.getLogger(__name__)


class BuildRun:
    """Runs a build to its end. `run()` never raises an exception: the build's status is the result."""

    def __init__(
        self, account: Account, containers: ContainerHost, build: Build, credentials: Mapping[str, Any]
    ) -> None:
        self._account = account
        self._containers = containers
        self._build = build
        self._credentials = credentials
        self._directory = account.workdir / "builds" / build.id.rsplit(":", 1)[1]
        self._deadline = time.monotonic() + 60 * build.timeout_minutes

    def run(self) -> None:
        """Run all phases, from SUBMITTED to COMPLETED."""
        build = self._build
        self._announce()
        log = JobLog(self._account, build.log_group, build.log_stream, self._account.client("logs", self._credentials))

        def tell(line: str) -> None:
            log.write(line)
            self._account.log(f"build {build.project_name}: {line}")

        try:
            status = self._execute(tell)
        except Exception as error:
            if not self._account.closing.is_set():
                logger.exception("build %s", build.id)
                tell(f"Internal failure: {type(error).__name__}: {error}")
            status = "FAULT"
        finally:
            log.close()
            shutil.rmtree(self._directory, ignore_errors=True)
        with build.lock:
            now = utc_now()
            build.phases.append({"phaseType": "COMPLETED", "startTime": now})
            build.status, build.ended = status, now
        if not self._account.closing.is_set():
            self._account.log(f"build {build.project_name}: {status}")
            self._announce()

    def _execute(self, tell: Callable[[str], None]) -> str:
        source = self._directory / "src"
        source.mkdir(parents=True)
        for name in ("SUBMITTED", "QUEUED"):
            with self._phase(name):
                pass
        try:
            with self._phase("PROVISIONING"):
                check_role(self._account, self._build, self._credentials)
                aws = self._aws_cli(tell)
            with self._phase("DOWNLOAD_SOURCE"):
                self._download(source)
                spec = self._buildspec(source)
                variables = self._variables(spec)
        except PhaseError as error:
            tell(f"[Container] Phase context status code: CLIENT_ERROR Message: {error}")
            return "FAILED"
        server = DockerServer(DockerCommands(self._account, self._containers, self._credentials))
        try:
            environment = self._environment(source, variables, server, aws)
            shell = BuildShell(self._account, self._build.id, self._directory, source, environment, tell)
            return self._run_phases(spec, shell, tell)
        finally:
            server.close()

    def _run_phases(self, spec: Buildspec, shell: BuildShell, tell: Callable[[str], None]) -> str:
        succeeding = True
        for name in PHASES:
            phase = spec.phases.get(name)
            tell(f"[Container] Entering phase {name.upper()}")
            try:
                with self._phase(name.upper()):
                    if phase is None:
                        continue
                    try:
                        shell.run(phase.commands, succeeding=succeeding, stopped=self._is_over)
                    finally:
                        if phase.finally_commands and not self._is_over():
                            shell.run(phase.finally_commands, succeeding=succeeding, stopped=self._is_over)
            except BuildStoppedError:
                return "STOPPED" if self._build.stop_asked.is_set() else "TIMED_OUT"
            except PhaseError as error:
                tell(f"[Container] Phase context status code: COMMAND_EXECUTION_ERROR Message: {error}")
                succeeding = False
                if phase is not None and phase.aborts:
                    break
        exported = shell.variables(spec.exported)
        with self._build.lock:
            self._build.exported = exported
        for name in ("UPLOAD_ARTIFACTS", "FINALIZING"):
            with self._phase(name):
                pass
        return "SUCCEEDED" if succeeding else "FAILED"

    def _is_over(self) -> bool:
        return self._build.stop_asked.is_set() or time.monotonic() > self._deadline

    @contextlib.contextmanager
    def _phase(self, name: str) -> Iterator[None]:
        """Record a phase with its status and the reason of a failure."""
        build = self._build
        phase: Params = {"phaseType": name, "startTime": utc_now()}
        with build.lock:
            build.phases.append(phase)
        status, contexts = "SUCCEEDED", []
        try:
            yield
        except PhaseError as error:
            status = "FAILED"
            contexts = [{"statusCode": "COMMAND_EXECUTION_ERROR", "message": str(error)}]
            raise
        except BuildStoppedError:
            status = "STOPPED" if build.stop_asked.is_set() else "TIMED_OUT"
            raise
        except Exception:
            status = "FAULT"
            raise
        finally:
            ended = utc_now()
            seconds = round((ended - phase["startTime"]).total_seconds())
            with build.lock:
                phase.update(phaseStatus=status, endTime=ended, durationInSeconds=seconds, contexts=contexts)

    def _download(self, source: Path) -> None:
        if self._build.source["type"] == "NO_SOURCE":
            return
        location = source_path(self._build)
        bucket, _, key = location.partition("/")
        try:
            answer = self._account.client("s3", self._credentials).get_object(Bucket=bucket, Key=key)
            with zipfile.ZipFile(io.BytesIO(answer["Body"].read())) as archive:
                _extract(archive, source)
            if not self._build.source_version:  # the version of an S3 source is its object's version
                self._build.source_version = answer.get("VersionId", answer["ETag"].strip('"'))
        except ClientError as error:
            raise PhaseError(f"the source {location} cannot be downloaded: {error}") from error
        except zipfile.BadZipFile as error:
            raise PhaseError(f"the source {location} is not a zip file: {error}") from error

    def _buildspec(self, source: Path) -> Buildspec:
        given = self._build.source.get("buildspec") or "buildspec.yml"
        if "\n" not in given and given.endswith((".yml", ".yaml")):
            file = source / given
            if not file.is_file():
                raise PhaseError(f"YAML_FILE_ERROR: stat {given}: no such file in the source")
            given = file.read_text(encoding="utf-8")
        try:
            return Buildspec.parse(given)
        except BuildspecError as error:
            raise PhaseError(f"YAML_FILE_ERROR: {error}") from error

    def _variables(self, spec: Buildspec) -> dict[str, str]:
        """The buildspec's variables, overridden by the project's; the build's role reads the parameters."""
        values = dict(spec.variables)
        parameters = dict(spec.parameters)
        for variable in self._build.environment["environmentVariables"]:
            kind = variable.get("type", "PLAINTEXT")
            if kind == "PARAMETER_STORE":
                parameters[variable["name"]] = variable["value"]
            elif kind == "PLAINTEXT":
                values[variable["name"]] = variable["value"]
                parameters.pop(variable["name"], None)
            else:
                raise PhaseError(f"the local AWS does not support the type {kind} of the variable {variable['name']}")
        ssm = self._account.client("ssm", self._credentials)
        for name, parameter in parameters.items():
            try:
                answer = ssm.get_parameter(Name=parameter, WithDecryption=True)
            except (ClientError, BotoCoreError) as error:
                raise PhaseError(f"Parameter {parameter} for {name} cannot be read: {error}") from error
            values[name] = answer["Parameter"]["Value"]
        return values

    def _aws_cli(self, tell: Callable[[str], None]) -> Path:
        try:
            return aws_cli(self._account.processes, tell)
        except ContainerError as error:
            raise PhaseError(f"there is no AWS CLI on PATH, and it cannot be installed: {error}") from error

    def _environment(
        self, source: Path, variables: Mapping[str, str], server: DockerServer, aws: Path
    ) -> dict[str, str]:
        own = build_variables(self._account, self._build, source, self._credentials)
        return {**variables, **shell_environment(self._directory, aws), **own, **server.environment}

    def _announce(self) -> None:
        build = self._build
        with build.lock:
            detail = {
                "build-status": build.status,
                "project-name": build.project_name,
                "build-id": build.arn,
                "current-phase": build.phases[-1]["phaseType"] if build.phases else "SUBMITTED",
            }
        self._account.emit(
            {
                "source": "aws.codebuild",
                "detail-type": "CodeBuild Build State Change",
                "resources": [build.arn],
                "detail": detail,
            }
        )


def _extract(archive: zipfile.ZipFile, target: Path) -> None:
    """Unpack a zip file and restore the executable bits."""
    for entry in archive.infolist():
        path = Path(archive.extract(entry, target))
        if not entry.is_dir() and (entry.external_attr >> 16) & 0o100:
            path.chmod(0o755)
