"""Transform jobs, which score files or golden records with a model.

A transform job needs a model resource in SageMaker. Each job gets one of its own, with its name, which is deleted when
the job has ended: the record of the job, not the resource, says later which model it was.
"""

from __future__ import annotations

from typing import Any, ClassVar

from botocore.exceptions import ClientError

from handler_kit import logs
from handler_kit.errors import error_code, error_message
from handler_kit.job_states import Meaning, meaning_of
from handler_kit.requests import output_key, tags, volume_key, vpc
from handler_kit.sagemaker_jobs import FoundJob, Jobs

LOG_GROUP = "/aws/sagemaker/TransformJobs"
PIPELINE_TAG = "mlops:pipeline"
# SageMaker's own lines in the log of a job, beside those of the container.
_DATA_LOG = "[sagemaker logs]: "
# How many lines of how many objects a reason has.
_REASON_LINES, _REASON_OBJECTS = 5, 3


class TransformJobs(Jobs):
    """The transform jobs of one pipeline. A request has two parts: the ``model``, and the ``job``."""

    noun: ClassVar[str] = "Transform job"
    work: ClassVar[str] = "batch"
    quota: ClassVar[str] = "transform job"
    log_group: ClassVar[str] = LOG_GROUP
    remedy: ClassVar[str] = "Stop it in the SageMaker console."

    def create(self, request: dict[str, Any]) -> None:
        """Create the model and the job. Raises ClientError when SageMaker returns an error; then the model is gone."""
        name = request["job"]["TransformJobName"]
        try:
            self.sagemaker.create_model(**request["model"])
        except ClientError as error:
            # An earlier delivery of the event has created it.
            if error_code(error) != "ValidationException" or "already exist" not in error_message(error):
                raise
        try:
            self.sagemaker.create_transform_job(**request["job"])
        except ClientError as error:
            if error_code(error) != "ResourceInUse":
                self.forget(name)
            raise

    def read(self, name: str) -> FoundJob:
        """The job with this name. Raises ClientError when there is none."""
        job = self.sagemaker.describe_transform_job(TransformJobName=name)
        status = job["TransformJobStatus"]
        return FoundJob(
            name=job["TransformJobName"],
            arn=job["TransformJobArn"],
            status=status,
            secondary_status="",
            reason=job.get("FailureReason", ""),
            has_result=meaning_of(status) is Meaning.COMPLETE,
            description=job,
        )

    def stop(self, name: str) -> None:
        """Stop the job; then it stores no output."""
        self.sagemaker.stop_transform_job(TransformJobName=name)

    def identity(self, description: dict[str, Any]) -> dict[str, Any]:
        """Model and input of the job."""
        job = description.get("job", description)
        source = job["TransformInput"]["DataSource"]["S3DataSource"]
        return {"model": job["ModelName"], "input": source["S3Uri"]}

    def instances(self, request: dict[str, Any]) -> str:
        """Number and type of the instances."""
        resources = request["job"]["TransformResources"]
        return f"{resources['InstanceCount']} x {resources['InstanceType']}"

    def forget(self, name: str) -> None:
        """Delete the model of a job; one that is gone already is no error."""
        try:
            self.sagemaker.delete_model(ModelName=name)
        except ClientError as error:
            if error_code(error) not in {"ValidationException", "ResourceNotFound"}:
                raise
            logs.info("the model of the job is gone already", job=name)


def model_request(
    name: str, package: dict[str, Any], role_arn: str, pipeline: str, network: tuple[str | None, str | None]
) -> dict[str, Any]:
    """The CreateModel request for a model package, in the pipeline's network, without any other.

    Args:
        name: Name of the model.
        package: The described model package.
        role_arn: Role of the container, which also reads the input and writes the output.
        pipeline: Name of the pipeline, for the tag by which a teardown finds the model.
        network: Subnet IDs and security group IDs, separated by commas, or None for both.
    """
    (container,) = package["InferenceSpecification"]["Containers"]
    known = {member: container[member] for member in ("Image", "ModelDataUrl", "Environment") if container.get(member)}
    return {
        "ModelName": name,
        "ExecutionRoleArn": role_arn,
        "EnableNetworkIsolation": True,
        "PrimaryContainer": known,
        "Tags": tags({PIPELINE_TAG: pipeline, "mlops:model-package": package["ModelPackageArn"]}),
        **vpc(*network),
    }


def job_places(
    name: str, source: tuple[str, str], target: str, instance_type: str, keys: tuple[str | None, str | None]
) -> dict[str, Any]:
    """The members of CreateTransformJob that are known only now, for one job.

    Args:
        name: Name of the job, and of its model.
        source: ``S3Prefix`` or ``ManifestFile``, and the S3 URI of its input.
        target: S3 URI of the folder of its output.
        instance_type: Its instance type.
        keys: Key of the volumes and key of the output, or None.
    """
    return {
        "TransformJobName": name,
        "ModelName": name,
        "TransformInput": {"DataSource": {"S3DataSource": {"S3DataType": source[0], "S3Uri": source[1]}}},
        "TransformOutput": {"S3OutputPath": target, **output_key(keys[1])},
        "TransformResources": volume_key(keys[0], instance_type),
    }


def explained(reason: str, name: str, cloudwatch_logs: Any) -> str:
    """The reason of a failed job, with what SageMaker logged of each object: the reason itself only points to it."""
    places: dict[str, list[str]] = {}
    try:
        pages = cloudwatch_logs.get_paginator("filter_log_events").paginate(
            logGroupName=LOG_GROUP, logStreamNamePrefix=f"{name}/", filterPattern='"sagemaker logs"'
        )
        for page in pages:
            for event in page["events"]:
                # Such as `bucket/key: ClientError: 400`, and then the response, each line behind the key.
                place, _, text = event["message"].rpartition(_DATA_LOG)[2].partition(": ")
                lines = places.setdefault(place, [])
                if text.strip() not in {"", "Message:"} and len(lines) < _REASON_LINES:
                    lines.append(text.strip())
    except ClientError as error:
        logs.info("the log of the job cannot be read", job=name, code=error_code(error))
    told = [f"{place}: {' '.join(lines)}" for place, lines in places.items() if lines]
    return " ".join([reason, *told[:_REASON_OBJECTS]])
