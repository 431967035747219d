"""CodeBuild's projects."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_constructs.local_aws.constraints.rule import Rule, found

if TYPE_CHECKING:
    from mlops_constructs.local_aws.account import Account
    from mlops_constructs.local_aws.service import Params

_I = "InvalidInputException"
_CALLS = ("codebuild:CreateProject",)
_NO_LOCATION = ("CODEPIPELINE", "NO_SOURCE")


def _location(params: Params, _: Account) -> str | None:
    kind, location = params["source"]["type"], params["source"].get("location")
    if kind in _NO_LOCATION and location:
        return f"Invalid project source: location must not be specified for the source type {kind}"
    if kind not in _NO_LOCATION and not location:
        return f"Invalid project source: location is required for the source type {kind}"
    return None


def _artifacts(params: Params, _: Account) -> str | None:
    kinds = {params["source"]["type"] == "CODEPIPELINE", params["artifacts"]["type"] == "CODEPIPELINE"}
    return "Invalid artifacts: type CODEPIPELINE is for source and artifacts alike" if len(kinds) == 2 else None


def _pull(params: Params, _: Account) -> str | None:
    image, pulls = found(params, "environment.image"), found(params, "environment.imagePullCredentialsType")
    if str(image).startswith("aws/codebuild/") and pulls == "SERVICE_ROLE":
        return "CodeBuild curated images must be pulled with CODEBUILD credentials"
    return None


RULES = (
    Rule(
        _CALLS,
        _I,
        "ProjectSource.location: not for CODEPIPELINE; For all of the other types, you must specify it.",
        _location,
    ),
    Rule(
        _CALLS,
        _I,
        "https://docs.aws.amazon.com/codebuild/latest/APIReference/API_ProjectArtifacts.html: CODEPIPELINE",
        _artifacts,
    ),
    Rule(
        _CALLS,
        _I,
        "imagePullCredentialsType: When you use an CodeBuild curated image, you must use CODEBUILD credentials.",
        _pull,
    ),
)
