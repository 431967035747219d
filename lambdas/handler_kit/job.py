"""The event of a CodePipeline job, as an object whose ``repr`` never shows its credentials."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from handler_kit.errors import ConfigurationError, StepError

EVENT_KEY = "CodePipeline.job"


@dataclass(frozen=True)
class Credentials:
    """The credentials that CodePipeline gives to a job to read and write its artifacts."""

    access_key_id: str = field(repr=False)
    secret_access_key: str = field(repr=False)
    session_token: str | None = field(repr=False)


@dataclass(frozen=True)
class ArtifactLocation:
    """Where an artifact of the action is, or is to be stored."""

    bucket: str
    key: str


@dataclass(frozen=True)
class Job:
    """One CodePipeline job.

    Attributes:
        id: The ID for which the result is reported; each continuation has a new one.
        parameters: The action's UserParameters, as the text of the event.
        continuation_token: The token that this action returned to be invoked again; ``None`` on the first invocation.
        input_artifacts: Name of each input artifact to where it is.
        output_artifacts: Name of each output artifact to where to store it.
        credentials: The credentials for the artifacts; ``None`` when the event has none.
        encryption_key_id: The KMS key of the artifact store; ``None`` when it has no key of its own.
    """

    id: str
    parameters: str
    continuation_token: str | None
    input_artifacts: dict[str, ArtifactLocation]
    output_artifacts: dict[str, ArtifactLocation]
    credentials: Credentials | None = field(repr=False)
    encryption_key_id: str | None

    def output_artifact(self, name: str) -> ArtifactLocation:
        """Where to put an output artifact. Raises ConfigurationError when the action does not declare it."""
        return _located(self.output_artifacts, name, "output")

    def input_artifact(self, name: str) -> ArtifactLocation:
        """Where an input artifact is. Raises ConfigurationError when the action does not declare it."""
        return _located(self.input_artifacts, name, "input")


def _located(artifacts: dict[str, ArtifactLocation], name: str, kind: str) -> ArtifactLocation:
    try:
        return artifacts[name]
    except KeyError:
        raise ConfigurationError(f"The action declares no {kind} artifact {name!r}; add it to the pipeline.") from None


def job_id(event: dict[str, Any]) -> str:
    """The ID for which the result is reported. Raises ValueError, without quoting the event, when there is none."""
    job = event.get(EVENT_KEY) if isinstance(event, dict) else None
    found = job.get("id") if isinstance(job, dict) else None
    if not isinstance(found, str):
        raise ValueError("The event is not a CodePipeline job: it has no job id.")
    return found


def secrets(event: dict[str, Any]) -> list[str]:
    """Every credential in the event, even when the event is malformed in other places."""
    data = event[EVENT_KEY].get("data")
    credentials = data.get("artifactCredentials") if isinstance(data, dict) else None
    values = credentials.values() if isinstance(credentials, dict) else ()
    return [value for value in values if isinstance(value, str)]


def parse(event: dict[str, Any]) -> Job:
    """Read the event. Raises StepError that names what is missing, without quoting the event."""
    try:
        data = event[EVENT_KEY]["data"]
        configuration = data["actionConfiguration"]["configuration"]
        return Job(
            id=job_id(event),
            parameters=configuration.get("UserParameters", "{}"),
            continuation_token=data.get("continuationToken"),
            input_artifacts=dict(map(_artifact, data.get("inputArtifacts", []))),
            output_artifacts=dict(map(_artifact, data.get("outputArtifacts", []))),
            credentials=_credentials(data.get("artifactCredentials")),
            encryption_key_id=(data.get("encryptionKey") or {}).get("id"),
        )
    except KeyError as error:
        raise StepError(f"The CodePipeline job event has no {error}.") from None
    except (TypeError, AttributeError):
        raise StepError("The CodePipeline job event does not have the structure that CodePipeline documents.") from None


def _artifact(artifact: dict[str, Any]) -> tuple[str, ArtifactLocation]:
    location = artifact["location"]["s3Location"]
    return artifact["name"], ArtifactLocation(location["bucketName"], location["objectKey"])


def _credentials(values: dict[str, str] | None) -> Credentials | None:
    if not values:
        return None
    return Credentials(values["accessKeyId"], values["secretAccessKey"], values.get("sessionToken"))
