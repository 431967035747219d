"""Parameter Store and log groups."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_constructs.local_aws.constraints.rule import Rule

if TYPE_CHECKING:
    from mlops_constructs.local_aws.account import Account
    from mlops_constructs.local_aws.service import Params

_V = "ValidationException"
_PUT = ("ssm:PutParameter",)
_STANDARD_BYTES = 4096
_RETENTION_DAYS = frozenset(
    {1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653}
)


def _prefix(params: Params, _: Account) -> str | None:
    first = params["Name"].lstrip("/").lower()
    if params["Name"].lower().startswith("/aws"):
        return None
    if first.startswith(("aws", "ssm")):
        return f'Parameter name: can\'t be prefixed with "aws" or "ssm" (case-insensitive), got {params["Name"]}.'
    return None


def _reserved(params: Params, _: Account) -> str | None:
    reserved = params["Name"].lower().startswith("/aws")
    return f"No access to reserved parameter name: {params['Name']}." if reserved else None


def _name(params: Params, _: Account) -> str | None:
    name = params["Name"]
    if " " in name:
        return f"Parameter name: can't contain spaces, got {name!r}."
    if "/" in name and not name.startswith("/"):
        return f"Parameter name must be a fully qualified name: {name} has no leading slash."
    return None


def _value(params: Params, _: Account) -> str | None:
    value = params["Value"]
    if "{{" in value and "}}" in value:
        return "Parameter value can't nest another parameter: do not use {{}} in the value."
    if params.get("Tier", "Standard") == "Standard" and len(value.encode()) > _STANDARD_BYTES:
        return f"Standard tier parameters support a maximum parameter value of {_STANDARD_BYTES} characters."
    return None


def _retention(params: Params, _: Account) -> str | None:
    days = params["retentionInDays"]
    return None if days in _RETENTION_DAYS else f"{days} is not a possible value of retentionInDays"


RULES = (
    Rule(_PUT, "AccessDeniedException", "Name: can't be prefixed with aws.", _reserved),
    Rule(_PUT, _V, 'Name: can\'t be prefixed with "aws" or "ssm" (case-insensitive).', _prefix),
    Rule(_PUT, _V, "Name: can't contain spaces; a hierarchy must include a leading forward slash.", _name),
    Rule(_PUT, _V, "Value: no double brackets {{}}. Tier: Standard has a content size limit of 4 KB.", _value),
    Rule(("logs:PutRetentionPolicy",), "InvalidParameterException", "retentionInDays: Possible values.", _retention),
)
