"""What services do by themselves with a role that is passed to them: pull an image, write a log, copy an artifact.

One row per use, with AWS's page. Calls that programs make with the role (a container that reads its data) are ordinary
calls, and are in ``actions``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .calls import Check
from .request import Context

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


@dataclass(frozen=True, slots=True)
class Need:
    """One action on one resource.

    Attributes:
        action: ``service:Action``.
        resource: ARN with placeholders such as ``{repository_arn}``, or ``*``.
        context: Condition keys.
    """

    action: str
    resource: str = "*"
    context: Context = field(default_factory=Context)


@dataclass(frozen=True, slots=True)
class RoleUse:
    """One use of a role by a service.

    Attributes:
        source: AWS's page.
        needs: The permissions that the service needs.
    """

    source: str
    needs: tuple[Need, ...]


def _needs(service: str, actions: Iterable[str], resource: str) -> tuple[Need, ...]:
    return tuple(Need(f"{service}:{action}", resource) for action in actions)


_PULL = (
    Need("ecr:GetAuthorizationToken"),
    *_needs("ecr", ("BatchCheckLayerAvailability", "GetDownloadUrlForLayer", "BatchGetImage"), "{repository_arn}"),
)
_PUSH = (
    *("BatchCheckLayerAvailability", "BatchGetImage", "InitiateLayerUpload", "UploadLayerPart"),
    *("CompleteLayerUpload", "PutImage"),
)
_WRITE_LOG = _needs("logs", ("CreateLogStream", "PutLogEvents"), "{log_group_arn}:log-stream:{log_stream}")
_LOGS = (*_needs("logs", ("CreateLogGroup", "DescribeLogStreams"), "{log_group_arn}:log-stream:"), *_WRITE_LOG)
_INTERFACES = (
    *("CreateNetworkInterface", "CreateNetworkInterfacePermission"),
    *("DeleteNetworkInterface", "DeleteNetworkInterfacePermission"),
)
_NETWORK = ("DescribeDhcpOptions", "DescribeNetworkInterfaces", "DescribeSecurityGroups", "DescribeSubnets")
_ROLES_PAGE = "https://docs.aws.amazon.com/sagemaker/latest/dg/sagemaker-roles.html"


def _sagemaker(anchor: str, namespace: str) -> RoleUse:
    metrics = Need("cloudwatch:PutMetricData", context=Context({"cloudwatch:namespace": namespace}))
    return RoleUse(f"{_ROLES_PAGE}#{anchor}", (*_PULL, *_LOGS, metrics))


def _action(page: str, *needs: tuple[Need, ...]) -> RoleUse:
    source = f"https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-{page}.html"
    return RoleUse(source, tuple(need for group in needs for need in group))


def _stack(*actions: str) -> RoleUse:
    """Make the use of an action of CloudFormation.

    AWS's page has one list for all modes of the action. What each mode needs of it is what the AWS CDK grants:
    https://github.com/aws/aws-cdk/blob/main/packages/aws-cdk-lib/aws-codepipeline-actions/lib/cloudformation/private/singleton-policy.ts
    """
    return _action("CloudFormation", _needs("cloudformation", ("DescribeStacks", *actions), "{stack_arn}"))


_STORE = (Need("s3:PutObject", "{artifact_arn}"),)
_BUCKET = ("GetBucketVersioning", "GetBucketAcl", "GetBucketLocation")
_SOURCE_OBJECT = ("GetObject", "GetObjectVersion", "GetObjectTagging", "GetObjectVersionTagging")
_ARCHIVE = ("GetBranch", "GetCommit", "GetRepository", "UploadArchive", "GetUploadArchiveStatus", "CancelUploadArchive")
_CREATE_OR_UPDATE = ("CreateStack", "UpdateStack", "DescribeStackResources", "GetTemplate")
_ENCRYPT = (
    *("DescribeKey", "Encrypt", "Decrypt", "ReEncryptFrom", "ReEncryptTo"),
    *("GenerateDataKey", "GenerateDataKeyWithoutPlaintext"),
)

ROLE_USES: Mapping[str, RoleUse] = {
    "SageMaker training": _sagemaker("sagemaker-roles-createtrainingjob-perms", "/aws/sagemaker/TrainingJobs"),
    "SageMaker processing": _sagemaker("sagemaker-roles-createprocessingjob-perms", "/aws/sagemaker/ProcessingJobs"),
    "SageMaker model": _sagemaker("sagemaker-roles-createmodel-perms", "/aws/sagemaker/Endpoints"),
    # A transform job has no role of its own: SageMaker uses the role of its model.
    "SageMaker transform": _sagemaker("sagemaker-roles-createmodel-perms", "/aws/sagemaker/TransformJobs"),
    "SageMaker notebook": RoleUse(f"{_ROLES_PAGE}#sagemaker-roles-createnotebookinstance-perms", _LOGS),
    "SageMaker notebook repository": RoleUse(
        f"{_ROLES_PAGE}#sagemaker-roles-createnotebookinstance-perms",
        _needs("codecommit", ("GitPull", "GitPush"), "{repository_arn}"),
    ),
    # The same list for training, tuning, processing and models.
    "SageMaker VPC": RoleUse(
        f"{_ROLES_PAGE}#sagemaker-roles-createtrainingjob-perms",
        (
            *_needs("ec2", _INTERFACES, "{network_interface_arn}"),
            Need("ec2:CreateNetworkInterface", "{subnet_arn}"),
            Need("ec2:CreateNetworkInterface", "{security_group_arn}"),
            *_needs("ec2", (*_NETWORK, "DescribeVpcs"), "*"),
        ),
    ),
    # CreateGrant is on the page of the roles too; AWS's own policy for volumes has both actions, and the condition.
    "SageMaker volume": RoleUse(
        "https://docs.aws.amazon.com/sagemaker/latest/dg/sagemaker-hyperpod-eks-autoscaling-iam.html",
        (
            Need("kms:CreateGrant", "{key_arn}", Context({"kms:GrantIsForAWSResource": "true"})),
            Need("kms:DescribeKey", "{key_arn}"),
        ),
    ),
    "SageMaker rollback alarms": RoleUse(
        "https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-configuration.html",
        (Need("cloudwatch:DescribeAlarms", "{alarm_arn}"),),
    ),
    "CodeBuild": RoleUse(
        "https://docs.aws.amazon.com/codebuild/latest/userguide/setting-up-service-role.html", _WRITE_LOG
    ),
    "CodeBuild source": RoleUse(
        "https://docs.aws.amazon.com/codebuild/latest/userguide/setting-up-service-role.html",
        _needs("s3", ("GetObject", "GetObjectVersion"), "{source_arn}"),
    ),
    "Lambda": RoleUse(
        "https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html",
        (*_WRITE_LOG, *_needs("xray", ("PutTraceSegments", "PutTelemetryRecords"), "*")),
    ),
    "docker push": RoleUse(
        "https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-push-iam.html",
        (Need("ecr:GetAuthorizationToken"), *_needs("ecr", _PUSH, "{repository_arn}")),
    ),
    "CodePipeline artifacts": RoleUse(
        "https://docs.aws.amazon.com/codepipeline/latest/userguide/how-to-custom-role.html",
        (
            *_needs("s3", _BUCKET, "{store_arn}"),
            *_needs("s3", ("GetObject", "GetObjectVersion", "PutObject", "PutObjectAcl"), "{artifact_arn}"),
        ),
    ),
    "CodePipeline tagged artifacts": RoleUse(
        "https://docs.aws.amazon.com/codepipeline/latest/userguide/how-to-custom-role.html",
        _needs("s3", ("GetObjectTagging", "GetObjectVersionTagging", "PutObjectTagging"), "{artifact_arn}"),
    ),
    "CodePipeline encrypted artifacts": RoleUse(
        "https://docs.aws.amazon.com/codepipeline/latest/userguide/pipelines-create-cross-account.html",
        _needs("kms", _ENCRYPT, "{key_arn}"),
    ),
    "CodePipeline S3": _action(
        "S3", _needs("s3", _BUCKET, "{bucket_arn}"), _needs("s3", _SOURCE_OBJECT, "{object_arn}"), _STORE
    ),
    "CodePipeline CodeCommit": _action("CodeCommit", _needs("codecommit", _ARCHIVE, "{repository_arn}"), _STORE),
    "CodePipeline CodeStarSourceConnection": _action(
        "CodestarConnectionSource", _needs("codestar-connections", ("UseConnection",), "{connection_arn}"), _STORE
    ),
    "CodePipeline CodeBuild": _action(
        "CodeBuild", _needs("codebuild", ("StartBuild", "BatchGetBuilds"), "{project_arn}")
    ),
    "CodePipeline Lambda": _action("Lambda", _needs("lambda", ("InvokeFunction",), "{function_arn}")),
    "CodePipeline Approval": RoleUse(
        "https://docs.aws.amazon.com/codepipeline/latest/userguide/approvals-service-role-permissions.html",
        (Need("sns:Publish", "{topic_arn}"),),
    ),
    "CodePipeline CloudFormation CREATE_UPDATE": _stack(*_CREATE_OR_UPDATE),
    "CodePipeline CloudFormation REPLACE_ON_FAILURE": _stack(*_CREATE_OR_UPDATE, "DeleteStack"),
    "CodePipeline CloudFormation CHANGE_SET_REPLACE": _stack("CreateChangeSet", "DescribeChangeSet", "DeleteChangeSet"),
    "CodePipeline CloudFormation CHANGE_SET_EXECUTE": _stack("DescribeChangeSet", "ExecuteChangeSet"),
    "CodePipeline CloudFormation DELETE_ONLY": _stack("DeleteStack"),
    # Without it, the message about a failed stack does not name the resource.
    "CodePipeline CloudFormation failure": _stack("DescribeStackEvents"),
}
"""By service; for an action of CodePipeline, by its provider and mode."""


def role_use_checks(use: str, names: Mapping[str, str]) -> tuple[Check, ...]:
    """Return the permissions that a role needs for a use.

    Args:
        use: A key of ``ROLE_USES``.
        names: Values of the placeholders in the use's resources.

    Raises:
        KeyError: There is no such use, or the value of a placeholder is missing.
    """
    needs = ROLE_USES[use].needs
    return tuple(Check(need.action, need.resource.format_map(names), need.context) for need in needs)
