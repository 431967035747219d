"""What moto forgets or refuses, mended by remembering what the client sent.

Found with the AWS provider 5.100 and moto 5.2.5; without these a second plan is not empty.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from mlops_constructs.rehearsal.services._base import AwsError, Params, Service, without_metadata

if TYPE_CHECKING:
    from mlops_constructs.rehearsal.local_aws import LocalAws

_NO_LOCATION = "codepipeline"
_FORGOTTEN_OF_FUNCTIONS = ("DeadLetterConfig", "LoggingConfig", "FileSystemConfigs", "SnapStart")


class CodeBuildProjects(Service):
    """moto demands locations where CODEPIPELINE has none, knows no update, and forgets members."""

    service_name: ClassVar[str] = "codebuild"

    def __init__(self, aws: LocalAws) -> None:
        super().__init__(aws)
        self._sent: dict[str, Params] = {}

    def create_project(self, params: Params) -> Params:
        """Make a project."""
        made = self.aws.moto("codebuild").create_project(**_with_locations(params))["project"]
        with self.lock:
            self._sent[params["name"]] = params
        return {"project": {**made, **params}}

    def update_project(self, params: Params) -> Params:
        """Change the members that are given."""
        name = params["name"]
        with self.lock:
            if name not in self._sent:
                raise AwsError("ResourceNotFoundException", f"Project {name} does not exist")
            merged = {**self._sent[name], **params}
            moto = self.aws.moto("codebuild")
            moto.delete_project(name=name)
            made = moto.create_project(**_with_locations(merged))["project"]
            self._sent[name] = merged
        return {"project": {**made, **merged}}

    def batch_get_projects(self, params: Params) -> Params:
        """Projects as they were sent."""
        found = self.aws.moto("codebuild").batch_get_projects(**params)["projects"]
        with self.lock:
            projects = [{**project, **self._sent.get(project["name"], {})} for project in found]
        known = {project["name"] for project in found} | {project["arn"] for project in found}
        return {
            "projects": projects,
            "projectsNotFound": [name for name in params["names"] if name not in known],
        }

    def delete_project(self, params: Params) -> Params:
        """Delete a project, by name or ARN; moto passes over an ARN without a word."""
        name = params["name"].rsplit("/", 1)[-1]
        with self.lock:
            self._sent.pop(name, None)
        return without_metadata(self.aws.moto("codebuild").delete_project(name=name))


class LambdaConfigurations(Service):
    """moto does not give back a function's dead letter queue and log group."""

    service_name: ClassVar[str] = "lambda"

    def __init__(self, aws: LocalAws) -> None:
        super().__init__(aws)
        self._sent: dict[str, Params] = {}

    def create_function(self, params: Params) -> Params:
        """Make a function."""
        answer = without_metadata(self.aws.moto("lambda").create_function(**params))
        return self._remembered(params, answer)

    def update_function_configuration(self, params: Params) -> Params:
        """Change a function's configuration."""
        answer = without_metadata(self.aws.moto("lambda").update_function_configuration(**params))
        return self._remembered(params, answer)

    def get_function(self, params: Params) -> Params:
        """A function with its code's place, and what moto forgot."""
        answer = without_metadata(self.aws.moto("lambda").get_function(**params))
        return {**answer, "Configuration": self._complete(params, answer["Configuration"])}

    def get_function_configuration(self, params: Params) -> Params:
        """A function, and what moto forgot."""
        answer = without_metadata(self.aws.moto("lambda").get_function_configuration(**params))
        return self._complete(params, answer)

    def after_delete_function(self, params: Params, _: dict[str, str]) -> None:
        """Forget a function."""
        if "Qualifier" not in params:
            with self.lock:
                self._sent.pop(_function_name(params), None)

    def _remembered(self, params: Params, answer: Params) -> Params:
        sent = {key: params[key] for key in _FORGOTTEN_OF_FUNCTIONS if key in params}
        with self.lock:
            self._sent.setdefault(_function_name(params), {}).update(sent)
        return self._complete(params, answer)

    def _complete(self, params: Params, configuration: Params) -> Params:
        with self.lock:
            return {**configuration, **self._sent.get(_function_name(params), {})}


class NotebookConfigurations(Service):
    """moto forgets the tags that a notebook lifecycle configuration is made with."""

    service_name: ClassVar[str] = "sagemaker"

    def after_create_notebook_instance_lifecycle_config(self, params: Params, _: dict[str, str]) -> None:
        """Tag it as an afterthought."""
        if not params.get("Tags"):
            return
        name = params["NotebookInstanceLifecycleConfigName"]
        sagemaker = self.aws.client("sagemaker")
        found = sagemaker.describe_notebook_instance_lifecycle_config(NotebookInstanceLifecycleConfigName=name)
        sagemaker.add_tags(ResourceArn=found["NotebookInstanceLifecycleConfigArn"], Tags=params["Tags"])


def _with_locations(project: Params) -> Params:
    """The project with the locations that moto asks for and AWS does not."""
    completed = dict(project)
    for member in ("source", "artifacts"):
        if project[member]["type"] == "CODEPIPELINE":
            completed[member] = {"location": _NO_LOCATION, **project[member]}
    return completed


def _function_name(params: dict[str, Any]) -> str:
    return str(params["FunctionName"]).rsplit(":function:", 1)[-1].split(":", 1)[0]
