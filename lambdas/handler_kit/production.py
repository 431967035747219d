"""Which model package production serves now."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from handler_kit.errors import error_code, error_message

# In these states nothing has ever been served from the stack, or nothing is any more.
_NOT_SERVING = ("REVIEW_", "CREATE_IN_PROGRESS", "CREATE_FAILED", "ROLLBACK_", "DELETE_")


def package_in_production(cloudformation: Any, stack_name: str) -> str | None:
    """The ARN of the package in production, empty when the stack does not tell; ``None`` without production."""
    try:
        stack = cloudformation.describe_stacks(StackName=stack_name)["Stacks"][0]
    except ClientError as error:
        if error_code(error) == "ValidationError" and "does not exist" in error_message(error):
            return None
        raise
    if stack["StackStatus"].startswith(_NOT_SERVING):
        return None
    parameters = {one["ParameterKey"]: one.get("ParameterValue", "") for one in stack.get("Parameters", [])}
    return str(parameters.get("ModelPackageArn", ""))
