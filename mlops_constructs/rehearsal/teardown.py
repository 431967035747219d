"""Take down what Terraform does not know of, so that ``terraform destroy`` can end, and check that nothing is left."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mlops_constructs.deployed.pipeline import DeployedPipeline


def delete_what_the_pipeline_made(pipeline: DeployedPipeline, pause: Callable[[float], None]) -> None:
    """Delete the endpoint stacks and model packages of one pipeline, in that order."""
    cloudformation = pipeline.client("cloudformation")
    for stack in reversed(pipeline.stacks):
        cloudformation.delete_stack(StackName=stack)
        while any(
            summary["StackName"] == stack and summary["StackStatus"] != "DELETE_COMPLETE"
            for summary in cloudformation.list_stacks()["StackSummaries"]
        ):
            pause(0.2)
    sagemaker = pipeline.client("sagemaker")
    for package in sagemaker.list_model_packages(ModelPackageGroupName=pipeline.name)["ModelPackageSummaryList"]:
        sagemaker.delete_model_package(ModelPackageName=package["ModelPackageArn"])


def empty_stores(client: Callable[[str], Any]) -> None:
    """Delete every image and every object, so that registries and buckets can go."""
    _empty_registries(client("ecr"))
    s3 = client("s3")
    for bucket in s3.list_buckets()["Buckets"]:
        _empty(s3, bucket["Name"])


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
    yield (
        "scalable target",
        [
            target["ResourceId"]
            for target in client("application-autoscaling").describe_scalable_targets(ServiceNamespace="sagemaker")[
                "ScalableTargets"
            ]
        ],
    )


def _empty_registries(ecr: Any) -> None:
    for repository in ecr.describe_repositories()["repositories"]:
        name = repository["repositoryName"]
        images = ecr.list_images(repositoryName=name)["imageIds"]
        if images:
            ecr.batch_delete_image(repositoryName=name, imageIds=images)


def _empty(s3: Any, bucket: str) -> None:
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        versions = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
        objects = [{"Key": version["Key"], "VersionId": version["VersionId"]} for version in versions]
        if objects:
            s3.delete_objects(Bucket=bucket, Delete={"Objects": objects, "Quiet": True})
