"""CodeBuild's builds, which really run on this machine. moto stores the projects."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, ClassVar

from mlops_constructs.local_aws.clock import utc_now
from mlops_constructs.local_aws.codebuild.build import Build
from mlops_constructs.local_aws.codebuild.run import BuildRun
from mlops_constructs.local_aws.roles import assume_as
from mlops_constructs.local_aws.service import AwsError, Params, Service, without_metadata

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_constructs.local_aws.account import Account
    from mlops_constructs.local_aws.containers.host import ContainerHost

_DEFAULT_TIMEOUT_MINUTES = 60


class Builds(Service):
    """The builds of the account; their commands really run."""

    service_name: ClassVar[str] = "codebuild"

    def __init__(self, account: Account, containers: ContainerHost) -> None:
        super().__init__(account)
        self._containers = containers
        self._builds: dict[str, Build] = {}

    def start_build(self, params: Params) -> Params:
        """Run the project's buildspec in the background, under its service role."""
        project = self._project(params["projectName"])
        source = _source(project, params)
        _refuse_artifacts(params)
        credentials = assume_as(
            self.account,
            "codebuild.amazonaws.com",
            project["serviceRole"],
            "AWSCodeBuild",
            "InvalidInputException",
            source_arn=project["arn"],
        )
        build = self._new_build(project, source, params)
        with self.lock:
            self._builds[build.id] = build
        run = BuildRun(self.account, self._containers, build, credentials)
        self.account.spawn(f"build-{build.project_name}", run.run)
        return {"build": build.described()}

    def batch_get_builds(self, params: Params) -> Params:
        """Builds by id."""
        with self.lock:
            found = [self._builds[name] for name in params["ids"] if name in self._builds]
        missing = [name for name in params["ids"] if name not in self._builds]
        return {"builds": [build.described() for build in found], "buildsNotFound": missing}

    def stop_build(self, params: Params) -> Params:
        """Stop a build; its commands are killed."""
        with self.lock:
            build = self._builds.get(params["id"])
        if build is None:
            raise AwsError("ResourceNotFoundException", f"Build {params['id']} does not exist")
        build.stop_asked.set()
        return {"build": build.described()}

    def list_builds(self, params: Params) -> Params:
        """Ids of all builds, the newest first."""
        return {"ids": self._ids(None, params)}

    def list_builds_for_project(self, params: Params) -> Params:
        """Ids of a project's builds, the newest first."""
        self._project(params["projectName"])
        return {"ids": self._ids(params["projectName"], params)}

    def _ids(self, project_name: str | None, params: Params) -> list[str]:
        with self.lock:
            ids = [
                build.id
                for build in self._builds.values()
                if project_name is None or build.project_name == project_name
            ]
        return ids if params.get("sortOrder") == "ASCENDING" else ids[::-1]

    def _project(self, name: str) -> Params:
        found = self.account.client("codebuild").batch_get_projects(names=[name])["projects"]
        if not found:
            arn = self.account.arn("codebuild", f"project/{name}")
            raise AwsError("ResourceNotFoundException", f"Project cannot be found: {arn}")
        project: Params = without_metadata(found[0])
        return project

    def _new_build(self, project: Params, source: Params, params: Params) -> Build:
        build_id = f"{project['name']}:{uuid.uuid4()}"
        logs = project.get("logsConfig", {}).get("cloudWatchLogs", {})
        environment = {
            **project["environment"],
            "environmentVariables": _merged_variables(
                project["environment"].get("environmentVariables", []),
                params.get("environmentVariablesOverride", []),
            ),
        }
        minutes = params.get("timeoutInMinutesOverride", project.get("timeoutInMinutes"))
        with self.lock:
            number = 1 + sum(build.project_name == project["name"] for build in self._builds.values())
        return Build(
            id=build_id,
            arn=self.account.arn("codebuild", f"build/{build_id}"),
            number=number,
            project=project,
            source=source,
            source_version=str(params.get("sourceVersion", project.get("sourceVersion", ""))),
            environment=environment,
            timeout_minutes=minutes if minutes else _DEFAULT_TIMEOUT_MINUTES,
            log_group=logs.get("groupName") or f"/aws/codebuild/{project['name']}",
            log_stream="/".join(part for part in (logs.get("streamName"), build_id.rsplit(":", 1)[1]) if part),
            started=utc_now(),
        )


def _source(project: Params, params: Params) -> Params:
    """The source of a build. Raises InvalidInputException for source types that the local AWS does not support."""
    source: Params = dict(project["source"])
    overrides = {
        "type": "sourceTypeOverride",
        "location": "sourceLocationOverride",
        "buildspec": "buildspecOverride",
    }
    source.update({member: params[name] for member, name in overrides.items() if name in params})
    if source["type"] not in ("S3", "NO_SOURCE"):
        raise AwsError(
            "InvalidInputException",
            f"the local AWS supports the source types S3 (sourceTypeOverride S3, sourceLocationOverride bucket/key) "
            f"and NO_SOURCE, not {source['type']}",
        )
    if source["type"] == "S3" and "/" not in source.get("location", ""):
        raise AwsError("InvalidInputException", "the location of an S3 source must be bucket/key")
    return source


def _refuse_artifacts(params: Params) -> None:
    kind = params.get("artifactsOverride", {}).get("type", "NO_ARTIFACTS")
    if kind != "NO_ARTIFACTS":
        raise AwsError(
            "InvalidInputException", f"the local AWS does not store artifacts of builds (artifactsOverride {kind})"
        )


def _merged_variables(own: list[Params], overrides: list[Params]) -> list[Params]:
    merged: Mapping[str, Any] = {variable["name"]: variable for variable in [*own, *overrides]}
    return list(merged.values())
