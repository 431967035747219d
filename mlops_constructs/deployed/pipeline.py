"""The definition of a deployed ML pipeline, read through CodePipeline's API."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ..errors import MlopsError
from .clients import code_of, explained
from .executions import Executions

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .clients import Clients

RELEASE_VARIABLE = "Release"
AB_TEST_VARIABLE = "ABTest"
_REGISTER, _AWAIT_DEV = "Register", "AwaitDev"


class DeployedPipeline:
    """One ML pipeline: a CodePipeline whose source is a data set.

    Attributes:
        client: Returns the client of a service.
        definition: The response of GetPipeline.
        name: Its name.
        action: Name of the source action of the data set.
        data_bucket: Bucket that data sets are uploaded to.
        prefix: Folder in it that starts the pipeline.
        artifact_bucket: Bucket of its artifacts and records.
        stacks: CloudFormation stacks of the endpoints, in the order of their deployment.
    """

    def __init__(self, client: Clients, definition: Mapping[str, Any]) -> None:
        """Read the response of GetPipeline. Raises MlopsError when its source is not a data set."""
        self.client, self.definition = client, definition
        self.name: str = definition["name"]
        source = _data_source(definition)
        if source is None:
            raise MlopsError(
                f"the pipeline {self.name} takes no data sets: it has no S3 source action whose object key can be"
                " chosen for each execution (AllowOverrideForS3ObjectKey)"
            )
        configuration = source["configuration"]
        key: str = configuration["S3ObjectKey"]
        self.action: str = source["name"]
        self.data_bucket: str = configuration["S3Bucket"]
        self.prefix = key[: key.rfind("/") + 1]
        self.artifact_bucket: str = definition["artifactStore"]["location"]
        stacks = (one["configuration"].get("StackName") for one in actions_of(definition))
        self.stacks: tuple[str, ...] = tuple(dict.fromkeys(stack for stack in stacks if stack is not None))

    @classmethod
    def read(cls, client: Clients, name: str) -> DeployedPipeline:
        """Read the pipeline of this name.

        Raises:
            MlopsError: when it does not exist, with the existing names; or when its source is not a data set.
        """
        with explained(f"the pipeline {name} could not be looked up"):
            codepipeline = client("codepipeline")
            definition = _definition(codepipeline, name)
            if definition is None:
                found = ", ".join(sorted(_names(codepipeline))) or "none"
                raise MlopsError(f"the pipeline {name!r} does not exist in this account and region; existing: {found}")
        return cls(client, definition)

    @classmethod
    def read_all(cls, client: Clients) -> list[DeployedPipeline]:
        """Read every ML pipeline of the account and region, by name."""
        with explained("the pipelines could not be looked up"):
            codepipeline = client("codepipeline")
            definitions = [_definition(codepipeline, name) for name in sorted(_names(codepipeline))]
        return [cls(client, one) for one in definitions if one is not None and _data_source(one) is not None]

    @property
    def executions(self) -> Executions:
        """Its executions."""
        return Executions(self.client, self.name)

    @property
    def is_in_aws(self) -> bool:
        """Whether it is in AWS, and not in a local AWS."""
        host = urlsplit(self.client("codepipeline").meta.endpoint_url).hostname or ""
        return host.endswith((".amazonaws.com", ".amazonaws.com.cn", ".api.aws"))

    @property
    def takes_releases(self) -> bool:
        """Whether an execution can be started on an earlier release."""
        return self._has_variable(RELEASE_VARIABLE)

    @property
    def has_ab_tests(self) -> bool:
        """Whether a release becomes a challenger beside the champion."""
        return self._has_variable(AB_TEST_VARIABLE)

    @property
    def retires_dev(self) -> bool:
        """Whether the DEV endpoint is deleted after the decision."""
        return _AWAIT_DEV in (action["name"] for action in actions_of(self.definition))

    @property
    def starts_on_upload(self) -> bool:
        """Whether an upload starts an execution; True where the rule for uploads may not be read."""
        from botocore.exceptions import ClientError

        with explained(f"the rule for uploads of {self.name} could not be looked up"):
            try:
                rule = self.client("events").describe_rule(Name=f"{self.name}-on-upload")
            except ClientError as error:
                if code_of(error) not in ("AccessDeniedException", "ResourceNotFoundException"):
                    raise
                return True
        return bool(rule["State"] != "DISABLED")

    @cached_property
    def image_pipeline(self) -> str | None:
        """Name of the pipeline that builds its image, or None where no image is built. Read once."""
        name = f"{self.name}-image"
        with explained(f"the pipeline {name} could not be looked up"):
            return None if _definition(self.client("codepipeline"), name) is None else name

    def images(self) -> list[str]:
        """Return the image that trains and, where it is another, the one that serves."""
        with explained(f"the images of {self.name} could not be looked up"):
            trains = self.client("ssm").get_parameter(Name=f"/{self.name}/image")["Parameter"]["Value"]
            registers = next(one for one in actions_of(self.definition) if one["name"] == _REGISTER)
            name = registers["configuration"]["FunctionName"]
            function = self.client("lambda").get_function_configuration(FunctionName=name)
        serves = function["Environment"]["Variables"].get("SERVING_IMAGE")
        return [trains, *([serves] if serves else [])]

    def start(self, key: str, version_id: str, *, release: int | None = None, ab_test: str | None = None) -> str:
        """Start an execution on exactly one version of a data set; return its id.

        Args:
            key: Key of the data set in ``data_bucket``.
            version_id: Its S3 version.
            release: Number of the release to deploy again; None trains.
            ab_test: What it does with the A/B test: ``promote`` or ``abort``; None begins one, if the pipeline has any.
        """
        revisions = {"S3_OBJECT_KEY": key, "S3_OBJECT_VERSION_ID": version_id}
        given = {RELEASE_VARIABLE: release, AB_TEST_VARIABLE: ab_test}
        variables = [{"name": name, "value": str(value)} for name, value in given.items() if value is not None]
        with explained(f"the pipeline {self.name} could not be started"):
            answer = self.client("codepipeline").start_pipeline_execution(
                name=self.name,
                sourceRevisions=[
                    {"actionName": self.action, "revisionType": kind, "revisionValue": value}
                    for kind, value in revisions.items()
                ],
                **({"variables": variables} if variables else {}),
            )
        return str(answer["pipelineExecutionId"])

    def _has_variable(self, name: str) -> bool:
        return name in (variable["name"] for variable in self.definition.get("variables", []))


def actions_of(definition: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Return every action of a definition, in the order of the stages."""
    for stage in definition["stages"]:
        yield from stage["actions"]


def _data_source(definition: Mapping[str, Any]) -> dict[str, Any] | None:
    for action in actions_of(definition):
        if action.get("configuration", {}).get("AllowOverrideForS3ObjectKey") == "true":
            return action
    return None


def _names(codepipeline: Any) -> list[str]:
    pages = codepipeline.get_paginator("list_pipelines").paginate()
    return [one["name"] for page in pages for one in page["pipelines"]]


def _definition(codepipeline: Any, name: str) -> dict[str, Any] | None:
    """Read a definition; None when the pipeline does not exist."""
    from botocore.exceptions import ClientError

    try:
        definition: dict[str, Any] = codepipeline.get_pipeline(name=name)["pipeline"]
    except ClientError as error:
        if code_of(error) != "PipelineNotFoundException":
            raise
        return None
    return definition
