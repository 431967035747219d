"""How to find out whether something with a given name exists, for each type of resource whose name can be in use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .asking import code_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .stack import Identity


@dataclass(frozen=True, slots=True)
class Look:
    """How to find out whether a name is in use.

    Attributes:
        argument: The argument that contains the name.
        service: boto3's name of the service.
        operation: The client's method.
        parameter: The method's parameter for the name.
        missing: Error codes which say that the name is not in use.
        action: The IAM action that the call needs.
        many: The method accepts a list of names.
        found: The member of the response that is empty when the name is not in use; if not given, any response means
            in use.
        exact: The member of each of those found that has to be the name, where the parameter is only its beginning.
        account: The method's parameter for the account id, where it needs one.
    """

    argument: str
    service: str
    operation: str
    parameter: str
    missing: tuple[str, ...]
    action: str
    many: bool = False
    found: str = ""
    exact: str = ""
    account: str = ""


# SageMaker and CloudFormation return ValidationException for what does not exist; botocore's models list no error.
LOOKS = {
    "aws_budgets_budget": Look(
        "name",
        "budgets",
        "describe_budget",
        "BudgetName",
        ("NotFoundException",),
        "budgets:ViewBudget",
        account="AccountId",
    ),
    "aws_cloudwatch_log_group": Look(
        "name",
        "logs",
        "describe_log_groups",
        "logGroupNamePrefix",
        (),
        "logs:DescribeLogGroups",
        found="logGroups",
        exact="logGroupName",
    ),
    "aws_codebuild_project": Look(
        "name",
        "codebuild",
        "batch_get_projects",
        "names",
        (),
        "codebuild:BatchGetProjects",
        many=True,
        found="projects",
    ),
    "aws_codecommit_repository": Look(
        "repository_name",
        "codecommit",
        "get_repository",
        "repositoryName",
        ("RepositoryDoesNotExistException",),
        "codecommit:GetRepository",
    ),
    "aws_codepipeline": Look(
        "name", "codepipeline", "get_pipeline", "name", ("PipelineNotFoundException",), "codepipeline:GetPipeline"
    ),
    "aws_ecr_repository": Look(
        "name",
        "ecr",
        "describe_repositories",
        "repositoryNames",
        ("RepositoryNotFoundException",),
        "ecr:DescribeRepositories",
        many=True,
    ),
    "aws_iam_role": Look("name", "iam", "get_role", "RoleName", ("NoSuchEntity",), "iam:GetRole"),
    "aws_kms_alias": Look("name", "kms", "describe_key", "KeyId", ("NotFoundException",), "kms:DescribeKey"),
    "aws_lambda_function": Look(
        "function_name",
        "lambda",
        "get_function_configuration",
        "FunctionName",
        ("ResourceNotFoundException",),
        "lambda:GetFunctionConfiguration",
    ),
    "aws_s3_bucket": Look("bucket", "s3", "head_bucket", "Bucket", ("404", "NoSuchBucket"), "s3:ListBucket"),
    "aws_sagemaker_model_package_group": Look(
        "model_package_group_name",
        "sagemaker",
        "describe_model_package_group",
        "ModelPackageGroupName",
        ("ValidationException",),
        "sagemaker:DescribeModelPackageGroup",
    ),
    "aws_sagemaker_notebook_instance": Look(
        "name",
        "sagemaker",
        "describe_notebook_instance",
        "NotebookInstanceName",
        ("ValidationException",),
        "sagemaker:DescribeNotebookInstance",
    ),
    "aws_sagemaker_notebook_instance_lifecycle_configuration": Look(
        "name",
        "sagemaker",
        "describe_notebook_instance_lifecycle_config",
        "NotebookInstanceLifecycleConfigName",
        ("ValidationException",),
        "sagemaker:DescribeNotebookInstanceLifecycleConfig",
    ),
    "aws_sqs_queue": Look(
        "name",
        "sqs",
        "get_queue_url",
        "QueueName",
        ("QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue"),
        "sqs:GetQueueUrl",
    ),
    "aws_ssm_parameter": Look(
        "name", "ssm", "get_parameters", "Names", (), "ssm:GetParameters", many=True, found="Parameters"
    ),
}


def look_up(client: Any, look: Look, name: str, identity: Identity) -> Mapping[str, Any] | None:
    """What AWS says of the thing with a name; None when there is none.

    Raises:
        ClientError: when AWS refuses to say it.
    """
    from botocore.exceptions import ClientError

    parameters = {look.parameter: [name] if look.many else name}
    if look.account:
        parameters[look.account] = identity.account_id
    try:
        answer: Mapping[str, Any] = getattr(client, look.operation)(**parameters)
    except ClientError as error:
        if code_of(error) in look.missing:
            return None
        raise
    if look.exact and not any(one[look.exact] == name for one in answer[look.found]):
        return None
    return None if look.found and not answer[look.found] else answer
