"""The costs of a deployed pipeline are read from its archives, stacks and notebook instance."""

from __future__ import annotations

import io
import json
import zipfile
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto import mock_aws

from mlops_constructs.deployed import DeployedPipeline
from mlops_constructs.deployed.costs import cost_rows

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME, BUCKET = "iris-1a2b3c", "artifacts"
DOCUMENT = {
    "training_job": {
        "ResourceConfig": {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1},
        "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
    },
    "hourly_prices_usd": {},
}
PARAMETERS = {
    "InstanceType": {"Type": "String", "Default": "ml.m5.large"},
    "InitialInstanceCount": {"Type": "Number", "Default": 1},
    "Autoscales": {"Type": "String", "Default": "false"},
    "MinCapacity": {"Type": "Number", "Default": 1},
    "MaxCapacity": {"Type": "Number", "Default": 1},
}
TEMPLATE = {"Parameters": PARAMETERS, "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}


def zipped(**files: object) -> bytes:
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as archive:
        for name, document in files.items():
            archive.writestr(f"{name}.json", json.dumps(document))
    return body.getvalue()


def definition() -> dict[str, Any]:
    def action(name: str, **configuration: str) -> dict[str, Any]:
        return {"name": name, "configuration": configuration}

    return {
        "name": NAME,
        "artifactStore": {"location": BUCKET},
        "stages": [
            {
                "name": "All",
                "actions": [
                    action("Dataset", AllowOverrideForS3ObjectKey="true", S3Bucket="data", S3ObjectKey="datasets/x"),
                    action("Templates", S3Bucket=BUCKET, S3ObjectKey="templates.zip"),
                    action("Train", FunctionName=f"{NAME}-train-model"),
                    action("Deploy", StackName=f"{NAME}-dev"),
                    action("Production", StackName=f"{NAME}-production"),
                ],
            }
        ],
    }


@pytest.fixture
def pipeline(monkeypatch: pytest.MonkeyPatch) -> Iterator[DeployedPipeline]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        clients = {
            name: boto3.client(name) for name in ("s3", "cloudformation", "sagemaker", "codepipeline", "cloudwatch")
        }  # type: ignore[call-overload]
        s3 = clients["s3"]
        s3.create_bucket(Bucket=BUCKET)
        s3.put_object(Bucket=BUCKET, Key=f"functions/{NAME}-train-model.zip", Body=zipped(document=DOCUMENT))
        s3.put_object(Bucket=BUCKET, Key="templates.zip", Body=zipped(dev=TEMPLATE, production=TEMPLATE))
        yield DeployedPipeline(lambda name: clients[name], definition())


def told(pipeline: DeployedPipeline) -> dict[str, str]:
    return {row.part: row.what for row in cost_rows(pipeline, {}, 8)}


def test_before_the_first_release_the_templates_say_what_will_run(pipeline: DeployedPipeline) -> None:
    assert told(pipeline) == {
        "training": "1 x ml.m5.xlarge",
        "DEV endpoint": "1 x ml.m5.large",
        "production endpoint": "1 x ml.m5.large",
        "storage": "data sets, models, records: GB not known",
    }


def test_after_it_the_stacks_say_what_runs(pipeline: DeployedPipeline) -> None:
    given = {"InstanceType": "ml.m5.xlarge", "Autoscales": "true", "MinCapacity": "2", "MaxCapacity": "9"}
    pipeline.client("cloudformation").create_stack(
        StackName=f"{NAME}-production",
        TemplateBody=json.dumps(TEMPLATE),
        Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in given.items()],
    )
    assert told(pipeline)["production endpoint"] == "2 to 9 x ml.m5.xlarge"
    assert told(pipeline)["DEV endpoint"] == "1 x ml.m5.large"


def test_only_the_pipelines_own_notebook_counts(pipeline: DeployedPipeline) -> None:
    def make(name: str, instance_type: str) -> None:
        pipeline.client("sagemaker").create_notebook_instance(
            NotebookInstanceName=name,
            InstanceType=instance_type,
            RoleArn="arn:aws:iam::123456789012:role/x",
            VolumeSizeInGB=20,
        )

    make(f"{NAME}-other", "ml.m5.4xlarge")
    assert "notebook" not in told(pipeline)
    make(NAME, "ml.t3.medium")
    assert (told(pipeline)["notebook"], told(pipeline)["notebook's volume"]) == ("1 x ml.t3.medium", "20 GB")


def test_the_metrics_of_its_alarms_are_counted(pipeline: DeployedPipeline) -> None:
    cloudwatch = pipeline.client("cloudwatch")
    common = {"EvaluationPeriods": 1, "Threshold": 0, "ComparisonOperator": "GreaterThanThreshold"}
    one = {"Namespace": "AWS/SQS", "MetricName": "x", "Period": 60, "Statistic": "Sum"}
    for name in (f"{NAME}-dead-letters", "another-dead-letters"):
        cloudwatch.put_metric_alarm(AlarmName=name, **one, **common)
    stats = [
        {"Id": id_, "MetricStat": {"Metric": {"Namespace": "N", "MetricName": id_}, "Period": 60, "Stat": "Sum"}}
        for id_ in ("a", "b")
    ]
    cloudwatch.put_metric_alarm(
        AlarmName=f"{NAME}-rate", Metrics=[{"Id": "rate", "Expression": "a / b"}, *stats], **common
    )
    assert told(pipeline)["alarms"] == "3 metrics, those of autoscaling not counted"
