"""Build projects, where moto's differ from AWS's."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from mlops_constructs.local_aws.service import AwsError, Params, Service, without_metadata

if TYPE_CHECKING:
    from mlops_constructs.local_aws.account import Account

_NO_LOCATION = "codepipeline"


class Projects(Service):
    """moto requires locations for the type CODEPIPELINE, has no UpdateProject, and does not return all members."""

    service_name: ClassVar[str] = "codebuild"

    def __init__(self, account: Account) -> None:
        super().__init__(account)
        self._sent: dict[str, Params] = {}

    def create_project(self, params: Params) -> Params:
        """Create a project."""
        made = self.account.moto("codebuild").create_project(**_with_locations(params))["project"]
        with self.lock:
            self._sent[params["name"]] = params
        return {"project": {**made, **params}}

    def update_project(self, params: Params) -> Params:
        """Change the given members of a project."""
        name = params["name"]
        with self.lock:
            if name not in self._sent:
                raise AwsError("ResourceNotFoundException", f"Project {name} does not exist")
            merged = {**self._sent[name], **params}
            moto = self.account.moto("codebuild")
            moto.delete_project(name=name)
            made = moto.create_project(**_with_locations(merged))["project"]
            self._sent[name] = merged
        return {"project": {**made, **merged}}

    def batch_get_projects(self, params: Params) -> Params:
        """Projects, with the members as they were sent."""
        found = self.account.moto("codebuild").batch_get_projects(**params)["projects"]
        with self.lock:
            projects = [{**project, **self._sent.get(project["name"], {})} for project in found]
        known = {project["name"] for project in found} | {project["arn"] for project in found}
        return {
            "projects": projects,
            "projectsNotFound": [name for name in params["names"] if name not in known],
        }

    def delete_project(self, params: Params) -> Params:
        """Delete a project by name or ARN; moto silently ignores an ARN."""
        name = params["name"].rsplit("/", 1)[-1]
        with self.lock:
            self._sent.pop(name, None)
        return without_metadata(self.account.moto("codebuild").delete_project(name=name))


def _with_locations(project: Params) -> Params:
    """The project, with the locations that moto requires and AWS does not."""
    completed = dict(project)
    for member in ("source", "artifacts"):
        if project[member]["type"] == "CODEPIPELINE":
            completed[member] = {"location": _NO_LOCATION, **project[member]}
    return completed
