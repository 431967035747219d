"""CloudFormation's stacks and change sets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_constructs.local_aws.constraints.rule import Rule

if TYPE_CHECKING:
    from mlops_constructs.local_aws.account import Account
    from mlops_constructs.local_aws.service import Params

_E = "ValidationError"
_CHANGES = tuple(f"cloudformation:{name}" for name in ("CreateStack", "UpdateStack", "CreateChangeSet"))
_TEMPLATE_BYTES = 51_200


def _template(params: Params, _: Account) -> str | None:
    given = [name for name in ("TemplateBody", "TemplateURL", "UsePreviousTemplate") if params.get(name)]
    return None if len(given) == 1 else "Specify exactly one of TemplateBody, TemplateURL and UsePreviousTemplate"


def _size(params: Params, _: Account) -> str | None:
    size = len(params.get("TemplateBody", "").encode())
    if size > _TEMPLATE_BYTES:
        constraint = f"Member must have length less than or equal to {_TEMPLATE_BYTES}"
        return f"Value at 'templateBody' failed to satisfy constraint: {constraint}"
    return None


def _parameters(params: Params, _: Account) -> str | None:
    for parameter in params.get("Parameters", []):
        if parameter.get("UsePreviousValue") and "ParameterValue" in parameter:
            return (
                f"Invalid input for parameter key {parameter['ParameterKey']}. Cannot specify usePreviousValue as true"
            )
    return None


def _tags(params: Params, _: Account) -> str | None:
    reserved = [tag["Key"] for tag in params.get("Tags", []) if tag["Key"].lower().startswith("aws:")]
    return f"aws: prefixed tag key names are not allowed for external use: {', '.join(reserved)}" if reserved else None


RULES = (
    Rule(_CHANGES, _E, "TemplateBody: only one of TemplateBody, TemplateURL, or UsePreviousTemplate.", _template),
    Rule(
        _CHANGES,
        _E,
        "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html",
        _size,
    ),
    Rule(_CHANGES, _E, "Parameter.UsePreviousValue: do not specify a parameter value.", _parameters),
    Rule(
        _CHANGES,
        _E,
        "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-resource-tags.html",
        _tags,
    ),
)
