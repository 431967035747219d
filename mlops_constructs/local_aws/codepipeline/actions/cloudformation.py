"""The CloudFormation action: creates and updates stacks and change sets from templates in artifacts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from mlops_constructs.local_aws.codepipeline.actions.stack import Stack
from mlops_constructs.local_aws.codepipeline.state import ActionFailedError

if TYPE_CHECKING:
    from mlops_constructs.local_aws.codepipeline.context import ActionContext


def run(context: ActionContext) -> dict[str, str]:
    """Execute the action mode; the stack's outputs become the output variables."""
    mode = context.setting("ActionMode")
    modes = {
        "CREATE_UPDATE": _create_update,
        "REPLACE_ON_FAILURE": _replace_on_failure,
        "CHANGE_SET_REPLACE": _change_set_replace,
        "CHANGE_SET_EXECUTE": _change_set_execute,
        "DELETE_ONLY": _delete_only,
    }
    if mode not in modes:
        raise ActionFailedError(f"the local AWS does not support the action mode {mode}", "ConfigurationError")
    stack = Stack(context, context.setting("StackName"))
    modes[mode](context, stack)
    with context.changed:
        context.run.external_id = stack.id
    return stack.outputs() if mode != "DELETE_ONLY" else {}


def _create_update(context: ActionContext, stack: Stack) -> None:
    if stack.exists:
        stack.update(_request(context))
    else:
        stack.create(_request(context))


def _replace_on_failure(context: ActionContext, stack: Stack) -> None:
    if stack.failed:
        context.account.log(f"stack {stack.name} is {stack.status} and is replaced")
        stack.delete(_role(context))
    _create_update(context, stack)


def _change_set_replace(context: ActionContext, stack: Stack) -> None:
    stack.replace_change_set(context.setting("ChangeSetName"), _request(context))


def _change_set_execute(context: ActionContext, stack: Stack) -> None:
    stack.execute_change_set(context.setting("ChangeSetName"))


def _delete_only(context: ActionContext, stack: Stack) -> None:
    if stack.status is not None:
        stack.delete(_role(context))


def _request(context: ActionContext) -> dict[str, Any]:
    """The members that CreateStack, UpdateStack and CreateChangeSet share."""
    configuration = context.run.configuration
    artifact, path = _located(context.setting("TemplatePath"))
    request: dict[str, Any] = {
        "TemplateBody": context.store.read_file(context.input(artifact), path).decode("utf-8"),
        **_role(context),
    }
    parameters: dict[str, str] = {}
    if "TemplateConfiguration" in configuration:
        artifact, path = _located(configuration["TemplateConfiguration"])
        settings = context.store.read_json(context.input(artifact), path)
        parameters.update(settings.get("Parameters", {}))
        tags = settings.get("Tags", {})
        request["Tags"] = [{"Key": key, "Value": value} for key, value in tags.items()]
    parameters.update(_overrides(context))
    request["Parameters"] = [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()]
    if "Capabilities" in configuration:
        request["Capabilities"] = [name.strip() for name in configuration["Capabilities"].split(",")]
    return request


def _role(context: ActionContext) -> dict[str, str]:
    role = context.run.configuration.get("RoleArn")
    return {} if role is None else {"RoleARN": role}


def _located(reference: str) -> tuple[str, str]:
    artifact, separator, path = reference.partition("::")
    if not separator:
        message = f"{reference} is not of the form Artifact::file"
        raise ActionFailedError(message, "ConfigurationError")
    return artifact, path


def _overrides(context: ActionContext) -> dict[str, str]:
    text = context.run.configuration.get("ParameterOverrides", "{}")
    if len(text) > 1024:
        raise ActionFailedError(f"ParameterOverrides has {len(text)} bytes; at most 1024 are allowed")
    try:
        given = json.loads(text)
    except ValueError as error:
        raise ActionFailedError(f"ParameterOverrides is not JSON: {error}", "ConfigurationError") from error
    return {key: _override_value(context, value) for key, value in given.items()}


def _override_value(context: ActionContext, value: Any) -> str:
    if not isinstance(value, dict):
        return str(value)
    if "Fn::GetParam" in value:
        artifact, path, key = value["Fn::GetParam"]
        return str(context.store.read_json(context.input(artifact), path)[key])
    if "Fn::GetArtifactAtt" in value:
        name, attribute = value["Fn::GetArtifactAtt"]
        artifact = context.input(name)
        url = f"https://s3.{context.account.dns_suffix}/{artifact.bucket}/{artifact.key}"
        known = {"BucketName": artifact.bucket, "ObjectKey": artifact.key, "URL": url}
        return known[attribute]
    raise ActionFailedError(f"ParameterOverrides: unknown function {', '.join(value)}", "ConfigurationError")
