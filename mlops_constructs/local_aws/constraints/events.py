"""EventBridge's rules and targets."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from mlops_constructs.local_aws.constraints.rule import Rule

if TYPE_CHECKING:
    from mlops_constructs.local_aws.account import Account
    from mlops_constructs.local_aws.service import Params

_V = "ValidationException"
_CALLS = ("events:PutTargets",)
_MAX_TARGETS = 5
_PLACEHOLDER = re.compile(r"<([A-Za-z0-9_.\-]+)>")
_PAGE = "https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutTargets.html"


def _count(params: Params, account: Account) -> str | None:
    bus = {"EventBusName": params["EventBusName"]} if "EventBusName" in params else {}
    try:
        existing = account.moto("events").list_targets_by_rule(Rule=params["Rule"], **bus)["Targets"]
    except ClientError:  # the operation itself rejects a rule that does not exist
        return None
    ids = {target["Id"] for target in (*existing, *params["Targets"])}
    return (
        f"The requested resource exceeds the maximum number allowed ({_MAX_TARGETS})"
        if len(ids) > _MAX_TARGETS
        else None
    )


def _inputs(params: Params, _: Account) -> str | None:
    for target in params["Targets"]:
        if len({"Input", "InputPath", "InputTransformer"} & target.keys()) > 1:
            return f"Only one of Input, InputPath, or InputTransformer must be provided for target {target['Id']}."
    return None


def _role(params: Params, _: Account) -> str | None:
    for target in params["Targets"]:
        if target["Arn"].split(":")[2] == "codepipeline" and "RoleArn" not in target:
            return f"RoleArn is required for target {target['Arn']}."
    return None


def _paths(params: Params, _: Account) -> str | None:
    for target in params["Targets"]:
        transformer = target.get("InputTransformer", {})
        for key, path in transformer.get("InputPathsMap", {}).items():
            if key.lower().startswith("aws"):
                return f"InputTransformer of target {target['Id']}: the key {key} cannot start with AWS."
            if not path.startswith("$") or "['" in path:
                return f"InputTransformer of target {target['Id']}: {path} is not in JSON dot notation."
    return None


def _placeholders(params: Params, _: Account) -> str | None:
    for target in params["Targets"]:
        transformer = target.get("InputTransformer", {})
        known = transformer.get("InputPathsMap", {})
        for name in _PLACEHOLDER.findall(transformer.get("InputTemplate", "")):
            if name not in known and not name.startswith("aws.events."):
                return f"Invalid InputTemplate for target {target['Id']}: <{name}> is not in InputPathsMap."
    return None


RULES = (
    Rule(_CALLS, "LimitExceededException", "PutTargets: Each rule can have up to five (5) targets.", _count),
    Rule(_CALLS, _V, f"{_PAGE}: Input, InputPath and InputTransformer are mutually exclusive", _inputs),
    Rule(
        _CALLS,
        _V,
        "https://github.com/awsdocs/aws-codepipeline-user-guide/pull/18: RoleArn is required",
        _role,
    ),
    Rule(_CALLS, _V, "InputPathsMap: JSON dot notation; The keys cannot start with AWS.", _paths),
    Rule(
        _CALLS,
        _V,
        "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html",
        _placeholders,
    ),
)
