"""The role of an action: its credentials, and the permissions that CodePipeline needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_constructs.local_aws.iam.request import Context
from mlops_constructs.local_aws.iam.service_roles import ROLE_USES, role_use_checks
from mlops_constructs.local_aws.roles import assume_as

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mlops_constructs.local_aws.account import Account
    from mlops_constructs.local_aws.codepipeline.context import ActionContext
    from mlops_constructs.local_aws.codepipeline.state import ActionRun, Execution
    from mlops_constructs.local_aws.iam.calls import Check


def credentials_for(account: Account, execution: Execution, run: ActionRun) -> dict[str, Any]:
    """Credentials of the pipeline's role, or of the action's own role, which the pipeline's role must assume.

    Raises:
        AwsError: The pipeline's role does not trust CodePipeline.
        ClientError: The pipeline's role may not assume the action's.
    """
    arn, role = account.arn("codepipeline", execution.pipeline_name), str(execution.pipeline["roleArn"])
    credentials = assume_as(account, "codepipeline.amazonaws.com", role, execution.id, "AccessDenied", source_arn=arn)
    own = run.definition.get("roleArn")
    if own is None:
        return credentials
    sts = account.client("sts", credentials)
    assumed: dict[str, Any] = sts.assume_role(RoleArn=own, RoleSessionName=execution.id)["Credentials"]
    return assumed


def check_role(context: ActionContext) -> None:
    """Check the role of an action against AWS's lists of permissions for its provider and its artifacts.

    The permission to write an artifact is checked when it is written, with the encryption that is used then.

    Raises:
        DeniedError: The role lacks one of the permissions.
    """
    role = context.run.configuration.get("RoleArn")
    keys = Context({"cloudformation:RoleArn": role} if role else {})
    checks = dict.fromkeys((*_provider_checks(context), *_artifact_checks(context)))
    without_writing = [check for check in checks if check.action != "s3:PutObject"]
    context.account.access.check_role(context.credentials, without_writing, keys)


def _provider_checks(context: ActionContext) -> Iterable[Check]:
    settings = context.run.configuration
    provider = context.run.definition["actionTypeId"]["provider"]
    words = {"Manual": ["Approval"], "CloudFormation": [provider, settings.get("ActionMode", "")]}
    use = " ".join(["CodePipeline", *words.get(provider, [provider])])
    if use not in ROLE_USES or (provider == "Manual" and "NotificationArn" not in settings):
        return ()
    return role_use_checks(use, {"artifact_arn": "*", **_names(context)})


def _artifact_checks(context: ActionContext) -> Iterator[Check]:
    """Yield what the role needs in the artifact store, and of the store's key."""
    account, key = context.account, context.store.key_arn
    for artifact in (*context.run.inputs, *context.run.outputs):
        store = account.arn("s3", artifact.bucket, region="", account_id="")
        yield from role_use_checks(
            "CodePipeline artifacts", {"store_arn": store, "artifact_arn": f"{store}/{artifact.key}"}
        )
        if key is not None and key.startswith("arn:"):
            yield from role_use_checks("CodePipeline encrypted artifacts", {"key_arn": key})


def _names(context: ActionContext) -> dict[str, str]:
    settings, account = context.run.configuration, context.account
    bucket = account.arn("s3", settings.get("S3Bucket", ""), region="", account_id="")
    return {
        "bucket_arn": bucket,
        "object_arn": f"{bucket}/{settings.get('S3ObjectKey', '')}",
        "repository_arn": account.arn("codecommit", settings.get("RepositoryName", "")),
        "connection_arn": settings.get("ConnectionArn", ""),
        "project_arn": account.arn("codebuild", f"project/{settings.get('ProjectName', '')}"),
        "function_arn": account.arn("lambda", f"function:{settings.get('FunctionName', '')}"),
        "topic_arn": settings.get("NotificationArn", ""),
        "stack_arn": account.arn("cloudformation", f"stack/{settings.get('StackName', '')}/*"),
    }
