"""What still exists after a destroy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def leftovers(client: Callable[[str], Any]) -> list[str]:
    """Name what still exists after a destroy, service by service."""
    return [f"{kind} {name}" for kind, names in _listings(client) for name in names]


def _listings(client: Callable[[str], Any]) -> Iterator[tuple[str, list[str]]]:
    def names(service: str, operation: str, member: str, name: str) -> list[str]:
        return [item[name] for item in getattr(client(service), operation)()[member]]

    yield "bucket", names("s3", "list_buckets", "Buckets", "Name")
    yield "function", names("lambda", "list_functions", "Functions", "FunctionName")
    yield "pipeline", names("codepipeline", "list_pipelines", "pipelines", "name")
    yield "repository", names("ecr", "describe_repositories", "repositories", "repositoryName")
    yield "role", names("iam", "list_roles", "Roles", "RoleName")
    yield "endpoint", names("sagemaker", "list_endpoints", "Endpoints", "EndpointName")
    yield "endpoint configuration", names("sagemaker", "list_endpoint_configs", "EndpointConfigs", "EndpointConfigName")
    yield "model", names("sagemaker", "list_models", "Models", "ModelName")
    yield (
        "model package group",
        names("sagemaker", "list_model_package_groups", "ModelPackageGroupSummaryList", "ModelPackageGroupName"),
    )
    yield "notebook", names("sagemaker", "list_notebook_instances", "NotebookInstances", "NotebookInstanceName")
    yield "rule", names("events", "list_rules", "Rules", "Name")
    yield "topic", names("sns", "list_topics", "Topics", "TopicArn")
    yield "queue", client("sqs").list_queues().get("QueueUrls", [])
    yield "build project", client("codebuild").list_projects()["projects"]
    yield "parameter", names("ssm", "describe_parameters", "Parameters", "Name")
    yield "alarm", names("cloudwatch", "describe_alarms", "MetricAlarms", "AlarmName")
    yield "dashboard", names("cloudwatch", "list_dashboards", "DashboardEntries", "DashboardName")
    yield (
        "scalable target",
        [
            target["ResourceId"]
            for target in client("application-autoscaling").describe_scalable_targets(ServiceNamespace="sagemaker")[
                "ScalableTargets"
            ]
        ],
    )
