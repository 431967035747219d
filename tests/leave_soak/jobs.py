"""Jobs that still run when somebody wants to leave: those of the pipeline, and one of another pipeline."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ab_soak.account import ARTIFACTS, DATA, SICK
from botocore.exceptions import ClientError

from mlops_constructs.deployed.made_running import tuning_prefix

if TYPE_CHECKING:
    from collections.abc import Callable

    from leave_soak.site import Site

TAG = "mlops:pipeline"
_DIGITS = "0123456789abcdef0123"
_RESOURCES = {"InstanceType": "ml.m5.large", "InstanceCount": 1}


def train(site: Site) -> None:
    """Train: the program of the image never ends."""
    name = f"{site.name}-{_DIGITS[:12]}"
    site.client("sagemaker").create_training_job(TrainingJobName=name, **_training(site))


def tune(site: Site) -> None:
    """Search: none of its training jobs ever ends."""
    training = _training(site)
    training["AlgorithmSpecification"]["MetricDefinitions"] = [{"Name": "accuracy", "Regex": "accuracy=([0-9.]+)"}]
    site.client("sagemaker").create_hyper_parameter_tuning_job(
        HyperParameterTuningJobName=f"{tuning_prefix(site.name)}-{_DIGITS[:12]}",
        HyperParameterTuningJobConfig={
            "Strategy": "Random",
            "HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": "accuracy"},
            "ResourceLimits": {"MaxNumberOfTrainingJobs": 4, "MaxParallelTrainingJobs": 2},
            "ParameterRanges": {"IntegerParameterRanges": [{"Name": "depth", "MinValue": "1", "MaxValue": "9"}]},
        },
        TrainingJobDefinition=training,
    )


def evaluate(site: Site) -> None:
    """Evaluate in a processing job, which never ends."""
    site.client("sagemaker").create_processing_job(
        ProcessingJobName=f"{site.name}-{_DIGITS[:12]}",
        RoleArn=site.account.static["ExecutionRoleArn"],
        AppSpecification={"ImageUri": site.account.models[0].image, "ContainerArguments": ["train"]},
        ProcessingResources={"ClusterConfig": {**_RESOURCES, "VolumeSizeInGB": 5}},
    )


def golden(site: Site) -> None:
    """Test an execution's candidate on the golden records."""
    _transform(site, site.name, f"{site.name}-golden-{_DIGITS[:12]}-r2")


def batch(site: Site) -> None:
    """Predict a file."""
    _transform(site, site.name, f"{site.name}-batch-{_DIGITS}")


def of_another(site: Site) -> None:
    """Predict a file of another pipeline, whose name begins likewise."""
    _transform(site, f"{site.name}-2", _of_another(site))


JOBS: dict[str, Callable[[Site], None]] = {
    one.__name__: one for one in (train, tune, evaluate, golden, batch, of_another)
}


def lost_job(site: Site) -> list[str]:
    """Tell whether the job of the other pipeline was stopped; then stop it."""
    sagemaker = site.client("sagemaker")
    try:
        status = sagemaker.describe_transform_job(TransformJobName=_of_another(site))["TransformJobStatus"]
    except ClientError:
        return []  # It was not started.
    if status == "InProgress":
        sagemaker.stop_transform_job(TransformJobName=_of_another(site))
    sagemaker.delete_model(ModelName=_of_another(site))
    return [] if status == "InProgress" else [f"the transform job of another pipeline is {status}"]


def _training(site: Site) -> dict[str, Any]:
    return {
        "AlgorithmSpecification": {"TrainingImage": site.account.models[0].image, "TrainingInputMode": "File"},
        "RoleArn": site.account.static["ExecutionRoleArn"],
        "InputDataConfig": [{"ChannelName": "train", "DataSource": {"S3DataSource": _source()}}],
        "OutputDataConfig": {"S3OutputPath": f"s3://{ARTIFACTS}/models/"},
        "ResourceConfig": {**_RESOURCES, "VolumeSizeInGB": 5},
        "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
    }


def _of_another(site: Site) -> str:
    return f"{site.name}-2-batch-{_DIGITS}"


def _transform(site: Site, pipeline: str, name: str) -> None:
    """Start a job whose model is never healthy, and so is waited for."""
    model, sagemaker = site.account.bad[SICK], site.client("sagemaker")
    sagemaker.create_model(
        ModelName=name,
        ExecutionRoleArn=site.account.static["ExecutionRoleArn"],
        PrimaryContainer={"Image": model.image, "ModelDataUrl": model.data},
        Tags=[{"Key": TAG, "Value": pipeline}],
    )
    sagemaker.create_transform_job(
        TransformJobName=name,
        ModelName=name,
        TransformInput={"DataSource": {"S3DataSource": _source(with_type_only=True)}, "ContentType": "text/csv"},
        TransformOutput={"S3OutputPath": f"s3://{ARTIFACTS}/{name}"},
        TransformResources=_RESOURCES,
    )


def _source(*, with_type_only: bool = False) -> dict[str, Any]:
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{DATA}/data.csv"}
    return source if with_type_only else {**source, "S3DataDistributionType": "FullyReplicated"}
