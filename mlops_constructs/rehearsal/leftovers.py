"""What still exists after a destroy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# Kind to service, operation, and the path to the names in its response; an empty path is for names themselves.
_LISTINGS: dict[str, tuple[str, str, str, str]] = {
    "bucket": ("s3", "list_buckets", "Buckets", "Name"),
    "function": ("lambda", "list_functions", "Functions", "FunctionName"),
    "pipeline": ("codepipeline", "list_pipelines", "pipelines", "name"),
    "image repository": ("ecr", "describe_repositories", "repositories", "repositoryName"),
    "repository": ("codecommit", "list_repositories", "repositories", "repositoryName"),
    "connection": ("codestar-connections", "list_connections", "Connections", "ConnectionName"),
    "build project": ("codebuild", "list_projects", "projects", ""),
    "stack": ("cloudformation", "describe_stacks", "Stacks", "StackName"),
    "endpoint": ("sagemaker", "list_endpoints", "Endpoints", "EndpointName"),
    "endpoint configuration": ("sagemaker", "list_endpoint_configs", "EndpointConfigs", "EndpointConfigName"),
    "model": ("sagemaker", "list_models", "Models", "ModelName"),
    "model package group": (
        "sagemaker",
        "list_model_package_groups",
        "ModelPackageGroupSummaryList",
        "ModelPackageGroupName",
    ),
    "notebook": ("sagemaker", "list_notebook_instances", "NotebookInstances", "NotebookInstanceName"),
    "role": ("iam", "list_roles", "Roles", "RoleName"),
    "policy": ("iam", "list_policies", "Policies", "PolicyName"),
    "rule": ("events", "list_rules", "Rules", "Name"),
    "topic": ("sns", "list_topics", "Topics", "TopicArn"),
    "subscription": ("sns", "list_subscriptions", "Subscriptions", "SubscriptionArn"),
    "queue": ("sqs", "list_queues", "QueueUrls", ""),
    "parameter": ("ssm", "describe_parameters", "Parameters", "Name"),
    "alarm": ("cloudwatch", "describe_alarms", "MetricAlarms", "AlarmName"),
    "dashboard": ("cloudwatch", "list_dashboards", "DashboardEntries", "DashboardName"),
    "log group": ("logs", "describe_log_groups", "logGroups", "logGroupName"),
    "schedule": ("scheduler", "list_schedules", "Schedules", "Name"),
    "key alias": ("kms", "list_aliases", "Aliases", "AliasName"),
}
# SageMaker makes them for the jobs of all pipelines of the account.
_SHARED_LOGS = ("/aws/sagemaker/TrainingJobs", "/aws/sagemaker/ProcessingJobs", "/aws/sagemaker/TransformJobs")
# Jobs cannot be deleted; one that still runs costs money.
_JOBS: dict[str, tuple[str, str]] = {
    "training job": ("list_training_jobs", "TrainingJob"),
    "tuning job": ("list_hyper_parameter_tuning_jobs", "HyperParameterTuningJob"),
    "processing job": ("list_processing_jobs", "ProcessingJob"),
    "transform job": ("list_transform_jobs", "TransformJob"),
}


def leftovers(client: Callable[[str], Any]) -> list[str]:
    """Name what still exists after a destroy, service by service."""
    return [f"{kind} {name}" for kind, names in _listings(client) for name in names]


def _listings(client: Callable[[str], Any]) -> Iterator[tuple[str, list[str]]]:
    for kind, (service, operation, member, key) in _LISTINGS.items():
        yield kind, [name for name in _names(client(service), operation, member, key) if not _is_of_aws(kind, name)]
    scaling = client("application-autoscaling")
    for kind, operation, member in (
        ("scalable target", "describe_scalable_targets", "ScalableTargets"),
        ("scheduled action", "describe_scheduled_actions", "ScheduledActions"),
    ):
        yield kind, _names(scaling, operation, member, "ResourceId", ServiceNamespace="sagemaker")
    for kind, (operation, noun) in _JOBS.items():
        yield kind, _names(client("sagemaker"), operation, f"{noun}Summaries", f"{noun}Name", StatusEquals="InProgress")
    account = client("sts").get_caller_identity()["Account"]
    yield "budget", _names(client("budgets"), "describe_budgets", "Budgets", "BudgetName", AccountId=account)
    yield "key", [key for key in _names(client("kms"), "list_keys", "Keys", "KeyId") if _is_used(client("kms"), key)]


def _names(client: Any, operation: str, member: str, key: str, **request: Any) -> list[str]:
    if client.can_paginate(operation):
        pages = client.get_paginator(operation).paginate(**request)
    else:
        pages = [getattr(client, operation)(**request)]
    return [one[key] if key else one for page in pages for one in page.get(member, [])]


def _is_of_aws(kind: str, name: str) -> bool:
    """Tell what every account has, or SageMaker shares among pipelines."""
    return (kind == "log group" and name in _SHARED_LOGS) or (kind == "key alias" and name.startswith("alias/aws/"))


def _is_used(kms: Any, key: str) -> bool:
    """Tell a customer's key that nobody has scheduled for deletion; AWS deletes a key after days."""
    try:
        found = kms.describe_key(KeyId=key)["KeyMetadata"]
    except ClientError:
        return False
    return bool(found["KeyManager"] == "CUSTOMER" and found["KeyState"] != "PendingDeletion")
