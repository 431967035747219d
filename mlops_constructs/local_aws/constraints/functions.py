"""Lambda functions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_constructs.local_aws.constraints.rule import Rule
from mlops_constructs.local_aws.roles import assume_as
from mlops_constructs.local_aws.service import AwsError

if TYPE_CHECKING:
    from mlops_constructs.local_aws.account import Account
    from mlops_constructs.local_aws.service import Params

_I = "InvalidParameterValueException"
_CREATE, _UPDATE = "lambda:CreateFunction", "lambda:UpdateFunctionConfiguration"
_ENVIRONMENT_BYTES = 4096
_BOUNDS = {"Timeout": (1, 900), "MemorySize": (128, 10_240)}
_LIMITS = "https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"
# https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
_RESERVED = frozenset(
    {
        "AWS_ACCESS_KEY",
        "AWS_ACCESS_KEY_ID",
        "AWS_DEFAULT_REGION",
        "AWS_EXECUTION_ENV",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        "AWS_LAMBDA_FUNCTION_NAME",
        "AWS_LAMBDA_FUNCTION_VERSION",
        "AWS_LAMBDA_INITIALIZATION_TYPE",
        "AWS_LAMBDA_LOG_GROUP_NAME",
        "AWS_LAMBDA_LOG_STREAM_NAME",
        "AWS_LAMBDA_RUNTIME_API",
        "AWS_REGION",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "LAMBDA_RUNTIME_DIR",
        "LAMBDA_TASK_ROOT",
        "_HANDLER",
        "_X_AMZN_TRACE_ID",
    }
)


def _program(params: Params, _: Account) -> str | None:
    if params.get("PackageType", "Zip") != "Zip":
        return None
    missing = [name for name in ("Runtime", "Handler") if not params.get(name)]
    return f"{', '.join(missing)} is mandatory for functions created with deployment packages." if missing else None


def _variables(params: Params) -> dict[str, str]:
    variables: dict[str, str] = params.get("Environment", {}).get("Variables", {})
    return variables


def _environment_size(params: Params, _: Account) -> str | None:
    size = sum(len(f"{name}{value}".encode()) for name, value in _variables(params).items())
    if size > _ENVIRONMENT_BYTES:
        return (
            "Lambda was unable to configure your environment variables because the environment variables you have "
            f"provided exceeded the 4KB limit: {size} bytes"
        )
    return None


def _reserved(params: Params, _: Account) -> str | None:
    names = sorted(_RESERVED & _variables(params).keys())
    if names:
        return (
            "Lambda was unable to configure your environment variables because the environment variables you have "
            f"provided contains reserved keys that are currently not supported for modification: {', '.join(names)}"
        )
    return None


def _size(params: Params, _: Account) -> str | None:
    for member, (least, most) in _BOUNDS.items():
        value = params.get(member, least)
        if not least <= value <= most:
            constraint = f"Member must have a value of {least} to {most}"
            return f"Value '{value}' at '{member}' failed to satisfy constraint: {constraint}"
    return None


def _role(params: Params, account: Account) -> str | None:
    if "Role" in params:
        try:
            assume_as(account, "lambda.amazonaws.com", params["Role"], "Lambda")
        except AwsError:
            return "The role defined for the function cannot be assumed by Lambda."
    return None


RULES = (
    Rule((_CREATE, _UPDATE), "ValidationException", f"{_LIMITS}: 900 seconds, 128 MB to 10,240 MB", _size),
    Rule((_CREATE,), _I, "Runtime, Handler: required if the deployment package is a .zip file archive.", _program),
    Rule(
        (_CREATE, _UPDATE),
        _I,
        f"{_LIMITS}: 4 KB, for all environment variables",
        _environment_size,
    ),
    Rule((_CREATE, _UPDATE), _I, "https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html", _reserved),
    Rule((_CREATE, _UPDATE), _I, "https://github.com/Pizzaface/Alexa-Chromecast-Skill-2.0/issues/9", _role),
)
