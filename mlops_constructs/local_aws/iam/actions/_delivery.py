"""The permissions that calls of CodePipeline, CodeBuild, CodeCommit, CodeConnections, CloudFormation and ECR need.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_awscodepipeline.html
https://docs.aws.amazon.com/service-authorization/latest/reference/list_awscodebuild.html
https://docs.aws.amazon.com/service-authorization/latest/reference/list_awscodecommit.html
https://docs.aws.amazon.com/service-authorization/latest/reference/list_awscloudformation.html
https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerregistry.html
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ..calls import Check
from ..request import Context
from ._rows import Row, pass_role, request_tags

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..calls import Call, Facts
    from ._rows import Checks, Table


def _rows(service: str, resource: str, *operations: str) -> Table:
    """Create rows for operations that need the action with their own name on one resource."""
    return {
        (service, operation): Row(f"{service}:{operation}", (resource,) if resource else ()) for operation in operations
    }


def _builds(action: str, member: str) -> Checks:
    """Need an action on the projects of builds, whose ids are ``project:uuid``."""

    def checks(call: Call, facts: Facts) -> Iterable[Check]:
        given = call.params.get(member, ())
        ids = [given] if isinstance(given, str) else given
        for project in dict.fromkeys(one.rsplit("/", 1)[-1].partition(":")[0] for one in ids):
            yield Check(f"codebuild:{action}", call.arn("codebuild", f"project/{project}"))

    return checks


def _projects(call: Call, facts: Facts) -> Iterable[Check]:
    for name in call.params.get("names", ()):
        yield Check("codebuild:BatchGetProjects", call.arn("codebuild", f"project/{name}"))


def _repositories(call: Call, facts: Facts) -> Iterable[Check]:
    names = call.params.get("repositoryNames") or ["*"]
    yield from (Check("ecr:DescribeRepositories", call.arn("ecr", f"repository/{name}")) for name in names)


def _image(operation: str) -> Checks:
    def checks(call: Call, facts: Facts) -> Iterable[Check]:
        # The images of AWS's algorithms are in registries of AWS's accounts.
        owner = replace(call.site, account=call.text("registryId") or call.site.account)
        yield Check(f"ecr:{operation}", owner.arn("ecr", f"repository/{call.text('repositoryName')}"))

    return checks


def _references(call: Call) -> Context:
    branch = call.text("branchName")
    return Context({"codecommit:References": f"refs/heads/{branch}"} if branch else {})


_STACK_KEYS = {
    "cloudformation:RoleArn": "RoleARN",
    "cloudformation:TemplateUrl": "TemplateURL",
    "cloudformation:StackPolicyUrl": "StackPolicyURL",
}
_CHANGE_SET_KEYS = {"cloudformation:ChangeSetName": "ChangeSetName"}
_KEYS_OF_STACKS: dict[str, dict[str, str]] = {
    "CreateStack": _STACK_KEYS,
    "UpdateStack": _STACK_KEYS,
    "DeleteStack": {"cloudformation:RoleArn": "RoleARN"},
    "ContinueUpdateRollback": {"cloudformation:RoleArn": "RoleARN"},
    "RollbackStack": {"cloudformation:RoleArn": "RoleARN"},
    "CreateChangeSet": {**_STACK_KEYS, **_CHANGE_SET_KEYS},
    "DescribeChangeSet": _CHANGE_SET_KEYS,
    "ExecuteChangeSet": _CHANGE_SET_KEYS,
    "DeleteChangeSet": _CHANGE_SET_KEYS,
}


def _stack_context(call: Call) -> Context:
    members = _KEYS_OF_STACKS.get(call.operation, {})
    values: dict[str, str | list[str]] = {key: call.text(name) for key, name in members.items() if call.text(name)}
    types = call.params.get("ResourceTypes")
    return request_tags(call).under(Context(values | ({"cloudformation:ResourceTypes": types} if types else {})))


def _stack(operation: str) -> Checks:
    """Need an action on a stack, whose id is not known: ``stack/NAME/*``; and permission to pass its role."""

    def checks(call: Call, facts: Facts) -> Iterable[Check]:
        name = call.text("StackName")
        arn = name if name.startswith("arn:") else call.arn("cloudformation", f"stack/{name or '*'}/*")
        yield Check(f"cloudformation:{operation}", arn, _stack_context(call))
        yield from pass_role("RoleARN", "cloudformation.amazonaws.com")(call, facts)

    return checks


def _connection(service: str) -> Table:
    return _rows(service, "{ConnectionArn}", "UseConnection", "GetConnection")


_STACKS = [
    "CreateStack",
    "UpdateStack",
    "DeleteStack",
    "ContinueUpdateRollback",
    "RollbackStack",
    "CreateChangeSet",
    "DescribeChangeSet",
    "ExecuteChangeSet",
    "DeleteChangeSet",
    "DescribeStacks",
    "DescribeStackEvents",
    "DescribeStackResource",
    "DescribeStackResources",
    "ListStackResources",
    "GetTemplate",
]
_PIPELINE = [
    ("{name}", ["GetPipeline", "StartPipelineExecution"]),
    ("{pipelineName}", ["GetPipelineExecution", "ListActionExecutions", "ListPipelineExecutions"]),
    ("{pipelineName}", ["StopPipelineExecution"]),
    ("{name}", ["GetPipelineState"]),
    ("{pipelineName}/{stageName}", ["RetryStageExecution", "EnableStageTransition", "DisableStageTransition"]),
    ("{pipelineName}/{stageName}/{actionName}", ["PutApprovalResult"]),
    ("", ["PutJobSuccessResult", "PutJobFailureResult", "GetJobDetails", "ListPipelines"]),
]
_IMAGES = [
    "DescribeImageScanFindings",
    "StartImageScan",
    "BatchCheckLayerAvailability",
    "BatchDeleteImage",
    "BatchGetImage",
    "CompleteLayerUpload",
    "DescribeImages",
    "GetDownloadUrlForLayer",
    "InitiateLayerUpload",
    "ListImages",
    "PutImage",
    "UploadLayerPart",
]
_REPOSITORY = "{repositoryName}"
TABLE: Table = {
    ("codebuild", "StartBuild"): Row("codebuild:StartBuild", ("project/{projectName}",)),
    ("codebuild", "BatchGetBuilds"): _builds("BatchGetBuilds", "ids"),
    ("codebuild", "StopBuild"): _builds("StopBuild", "id"),
    ("codebuild", "BatchGetProjects"): _projects,
    ("codecommit", "CreateCommit"): Row("codecommit:CreateCommit", (_REPOSITORY,), _references),
    ("codecommit", "GitPush"): Row("codecommit:GitPush", (_REPOSITORY,), _references),
    **_rows("codecommit", _REPOSITORY, "GetBranch", "GetCommit", "GetRepository", "GetFile", "GitPull", "ListBranches"),
    **_rows("codecommit", _REPOSITORY, "DeleteRepository"),
    **_rows("codecommit", _REPOSITORY, "UploadArchive", "GetUploadArchiveStatus", "CancelUploadArchive"),
    **_connection("codestar-connections"),
    **_connection("codeconnections"),
    **{("cloudformation", operation): _stack(operation) for operation in _STACKS},
    ("cloudformation", "ListStacks"): Row("cloudformation:ListStacks"),
    ("cloudformation", "ValidateTemplate"): Row("cloudformation:ValidateTemplate"),
    ("ecr", "GetAuthorizationToken"): Row("ecr:GetAuthorizationToken"),
    ("ecr", "DescribeRepositories"): _repositories,
    **{("ecr", operation): _image(operation) for operation in _IMAGES},
}
for _resource, _operations in _PIPELINE:
    TABLE |= _rows("codepipeline", _resource, *_operations)
