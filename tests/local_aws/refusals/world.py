"""What the calls name: buckets, keys, roles, images, a model, an endpoint, and a request for each operation."""

from __future__ import annotations

import copy
import json
from datetime import datetime
from itertools import count
from typing import TYPE_CHECKING, Any

import boto3
from botocore import xform_name
from botocore.config import Config
from local_aws.tiny_pipeline import DATA, Bench, action, make_role, s3_source, zip_of

from mlops_constructs.local_aws.containers.images import digest_of
from mlops_constructs.local_aws.credentials import ACCESS_KEY_ID, SECRET_ACCESS_KEY

if TYPE_CHECKING:
    from mlops_constructs.local_aws.local_aws import LocalAws

Params = dict[str, Any]

DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
_UNIQUE = count(1)


class World:
    """A local AWS with one thing of each kind."""

    def __init__(self, aws: LocalAws) -> None:
        self.aws = aws
        self.bench = Bench(aws)
        self.account, self.region = aws.account_id, aws.region
        self.roles = {
            service: make_role(aws, f"for-{service}", service)
            for service in ("sagemaker", "lambda", "codebuild", "cloudformation")
        }
        self.key = aws.client("kms").create_key()["KeyMetadata"]["Arn"]
        aws.client("ecr").create_repository(repositoryName="images")
        self.image = self.push(DOCKER_MANIFEST)
        self.bench.s3.put_object(Bucket=DATA, Key="model.tar.gz", Body=b"packed")
        aws.client("sqs").create_queue(QueueName="dead")
        aws.client("cloudwatch").put_metric_alarm(**self.request("cloudwatch:PutMetricAlarm", AlarmName="quiet"))
        sagemaker = aws.client("sagemaker")
        sagemaker.create_model(**self.request("sagemaker:CreateModel", ModelName="model"))
        sagemaker.create_model_package_group(ModelPackageGroupName="group")
        for name, instance_type in (("config", "ml.m5.large"), ("burstable", "ml.t2.medium")):
            request = self.request("sagemaker:CreateEndpointConfig", EndpointConfigName=name)
            request["ProductionVariants"][0]["InstanceType"] = instance_type
            sagemaker.create_endpoint_config(**request)
            sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
        aws.client("events").put_rule(Name="rule", EventPattern='{"source": ["aws.s3"]}')
        full = {"Rule": "full", "Targets": [self._target(f"queue-{number}") for number in range(5)]}
        aws.client("events").put_rule(Name="full", EventPattern='{"source": ["aws.s3"]}')
        aws.client("events").put_targets(**full)
        aws.client("ssm").put_parameter(Name="/known", Value="1", Type="String")
        aws.client("logs").create_log_group(logGroupName="/logs")
        aws.client("iam").create_role(**self.request("iam:CreateRole", RoleName="with-a-policy"))
        aws.client("iam").put_role_policy(**self.request("iam:PutRolePolicy", RoleName="with-a-policy"))

    def push(self, media_type: str, tag: str | None = None) -> str:
        """Put an image's manifest into the repository; give its URI."""
        manifest = json.dumps({"schemaVersion": 2, "mediaType": media_type, "config": {"digest": media_type}})
        tag = f"tag-{next(_UNIQUE)}" if tag is None else tag
        self.aws.client("ecr").put_image(
            repositoryName="images",
            imageManifest=manifest,
            imageManifestMediaType=media_type,
            imageDigest=digest_of(manifest),
            imageTag=tag,
        )
        return f"{self.account}.dkr.ecr.{self.region}.amazonaws.com/images:{tag}"

    def call(self, name: str, params: Params) -> Params:
        """Make a call, such as `sagemaker:CreateModel`."""
        service, operation = name.split(":")
        answer: Params = getattr(self._client(service), xform_name(operation))(**params)
        return answer

    def _client(self, service: str) -> Any:
        """Give a client that sends what it is given, so that it is the server that refuses."""
        return boto3.client(
            service,
            endpoint_url=self.aws.url,
            region_name=self.region,
            aws_access_key_id=ACCESS_KEY_ID,
            aws_secret_access_key=SECRET_ACCESS_KEY,
            config=Config(
                parameter_validation=False, retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}
            ),
        )

    def request(self, name: str, **changes: Any) -> Params:
        """Give a request that AWS takes, with names that were not used yet."""
        unique = f"name-{next(_UNIQUE)}"
        made: Params = copy.deepcopy(
            getattr(self, f"_{name.split(':')[0].replace('-', '_')}")(name.split(":")[1], unique)
        )
        return {**made, **changes}

    def _sagemaker(self, operation: str, unique: str) -> Params:
        role = self.roles["sagemaker"]
        training = {
            "AlgorithmSpecification": {"TrainingImage": self.image, "TrainingInputMode": "File"},
            "RoleArn": role,
            "OutputDataConfig": {"S3OutputPath": f"s3://{DATA}/models/", "KmsKeyId": self.key},
            "ResourceConfig": {
                "InstanceType": "ml.m5.large",
                "InstanceCount": 1,
                "VolumeSizeInGB": 10,
                "VolumeKmsKeyId": self.key,
            },
            "StoppingCondition": {"MaxRuntimeInSeconds": 60},
        }
        container = {"Image": self.image, "ModelDataUrl": f"s3://{DATA}/model.tar.gz"}
        tracking = {"Type": "Maximize", "MetricName": "accuracy"}
        ranges = {"ContinuousParameterRanges": [{"Name": "rate", "MinValue": "0.1", "MaxValue": "1"}]}
        requests: dict[str, Params] = {
            "CreateTrainingJob": {"TrainingJobName": unique, **training},
            "CreateHyperParameterTuningJob": {
                "HyperParameterTuningJobName": unique,
                "HyperParameterTuningJobConfig": {
                    "Strategy": "Bayesian",
                    "TrainingJobEarlyStoppingType": "Auto",
                    "HyperParameterTuningJobObjective": tracking,
                    "ResourceLimits": {"MaxNumberOfTrainingJobs": 1, "MaxParallelTrainingJobs": 1},
                    "ParameterRanges": ranges,
                },
                "TrainingJobDefinition": {
                    **training,
                    "AlgorithmSpecification": {
                        **training["AlgorithmSpecification"],  # type: ignore[dict-item]
                        "MetricDefinitions": [{"Name": "accuracy", "Regex": "accuracy=(.*)"}],
                    },
                },
            },
            "CreateProcessingJob": {
                "ProcessingJobName": unique,
                "RoleArn": role,
                "AppSpecification": {"ImageUri": self.image},
                "ProcessingResources": {
                    "ClusterConfig": {
                        "InstanceType": "ml.m5.large",
                        "InstanceCount": 1,
                        "VolumeSizeInGB": 10,
                        "VolumeKmsKeyId": self.key,
                    }
                },
                "ProcessingInputs": [
                    {
                        "InputName": "data",
                        "S3Input": {
                            "S3Uri": f"s3://{DATA}/in",
                            "LocalPath": "/opt/ml/processing/in",
                            "S3DataType": "S3Prefix",
                            "S3InputMode": "File",
                        },
                    }
                ],
            },
            "CreateModel": {"ModelName": unique, "ExecutionRoleArn": role, "PrimaryContainer": container},
            "CreateModelPackage": {
                "ModelPackageGroupName": "group",
                "InferenceSpecification": {
                    "Containers": [container],
                    "SupportedContentTypes": ["text/csv"],
                    "SupportedResponseMIMETypes": ["application/json"],
                },
            },
            "CreateModelPackageGroup": {"ModelPackageGroupName": unique},
            "DeleteModelPackageGroup": {"ModelPackageGroupName": unique},
            "CreateEndpointConfig": {
                "EndpointConfigName": unique,
                "KmsKeyId": self.key,
                "ProductionVariants": [
                    {
                        "VariantName": "main",
                        "ModelName": "model",
                        "InstanceType": "ml.m5.large",
                        "InitialInstanceCount": 4,
                    }
                ],
            },
            "CreateEndpoint": {
                "EndpointName": unique,
                "EndpointConfigName": "config",
                "DeploymentConfig": {
                    "BlueGreenUpdatePolicy": {
                        "TrafficRoutingConfiguration": {
                            "Type": "CANARY",
                            "WaitIntervalInSeconds": 60,
                            "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": 50},
                        }
                    },
                    "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "quiet"}]},
                },
            },
            "CreateNotebookInstance": {
                "NotebookInstanceName": unique,
                "InstanceType": "ml.t3.medium",
                "RoleArn": role,
                "KmsKeyId": self.key,
            },
        }
        return requests[operation]

    def _application_autoscaling(self, operation: str, _: str) -> Params:
        target = {
            "ServiceNamespace": "sagemaker",
            "ResourceId": "endpoint/config/variant/main",
            "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
        }
        if operation == "RegisterScalableTarget":
            return {**target, "MinCapacity": 1, "MaxCapacity": 4}
        self.call("application-autoscaling:RegisterScalableTarget", {**target, "MinCapacity": 1, "MaxCapacity": 4})
        if operation == "DeregisterScalableTarget":
            return target
        metric = {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"}
        tracking = {"TargetValue": 100.0, "PredefinedMetricSpecification": metric}
        kind = {"PolicyType": "TargetTrackingScaling", "TargetTrackingScalingPolicyConfiguration": tracking}
        return {"PolicyName": "policy", **target, **kind}

    def _cloudwatch(self, operation: str, unique: str) -> Params:
        if operation != "PutMetricAlarm":
            return self._metrics(operation)
        return {
            "AlarmName": unique,
            "Namespace": "AWS/SageMaker",
            "MetricName": "Invocation5XXErrors",
            "Dimensions": [{"Name": "EndpointName", "Value": "config"}],
            "Statistic": "Sum",
            "Period": 60,
            "EvaluationPeriods": 2,
            "DatapointsToAlarm": 2,
            "Threshold": 1.0,
            "ComparisonOperator": "GreaterThanThreshold",
        }

    def _metrics(self, operation: str) -> Params:
        if operation == "PutMetricData":
            dimension = {"Name": "Feature", "Value": "size"}
            return {
                "Namespace": "Watch",
                "MetricData": [{"MetricName": "PSI", "Value": 0.1, "Dimensions": [dimension]}],
            }
        times = {"StartTime": datetime(2026, 1, 1), "EndTime": datetime(2026, 1, 2)}
        metric = {"Namespace": "AWS/SageMaker", "MetricName": "Invocations"}
        if operation == "GetMetricStatistics":
            return {**times, **metric, "Period": 60, "Statistics": ["Sum"]}
        query = {"Id": "requests", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"}}
        return {**times, "MetricDataQueries": [query, {**query, "Id": "again"}]}

    def _ssm(self, _: str, unique: str) -> Params:
        return {"Name": f"/{unique}", "Value": "1", "Type": "String"}

    def _target(self, name: str) -> Params:
        return {"Id": name, "Arn": f"arn:aws:sqs:{self.region}:{self.account}:dead"}

    def _events(self, operation: str, unique: str) -> Params:
        if operation == "PutRule":
            return {"Name": unique, "EventPattern": '{"source": ["aws.s3"]}'}
        if operation == "DeleteRule":
            return {"Name": unique}
        pipeline = {
            "Id": "pipeline",
            "Arn": f"arn:aws:codepipeline:{self.region}:{self.account}:pipeline",
            "RoleArn": self.bench.events_role,
            "InputTransformer": {"InputPathsMap": {"key": "$.detail.object.key"}, "InputTemplate": '{"key": <key>}'},
            "DeadLetterConfig": {"Arn": f"arn:aws:sqs:{self.region}:{self.account}:dead"},
        }
        return {"Rule": "rule", "Targets": [pipeline]}

    def _sqs(self, _: str, unique: str) -> Params:
        return {"QueueName": unique, "Attributes": {"VisibilityTimeout": "30"}}

    def _sns(self, operation: str, unique: str) -> Params:
        if operation == "Publish":
            topic = self.aws.client("sns").create_topic(Name="people")["TopicArn"]
            return {"TopicArn": topic, "Subject": "iris: drift in size", "Message": "size has drifted"}
        return {"Name": unique}

    def _kms(self, operation: str, unique: str) -> Params:
        if operation == "CreateAlias":
            return {"AliasName": f"alias/{unique}", "TargetKeyId": self.key}
        if operation == "ScheduleKeyDeletion":
            key = self.aws.client("kms").create_key()["KeyMetadata"]["KeyId"]
            return {"KeyId": key, "PendingWindowInDays": 7}
        return {"Description": unique}

    def _iam(self, operation: str, unique: str) -> Params:
        statement = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        if operation == "CreateRole":
            return {"RoleName": unique, "AssumeRolePolicyDocument": trust}
        if operation == "DeleteRole":
            self.aws.client("iam").create_role(RoleName=unique, AssumeRolePolicyDocument=trust)
            return {"RoleName": unique}
        grant = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [grant]})
        return {"RoleName": "for-lambda", "PolicyName": unique, "PolicyDocument": document}

    def _lambda(self, _: str, unique: str) -> Params:
        return {
            "FunctionName": unique,
            "Role": self.roles["lambda"],
            "Handler": "function.handler",
            "Runtime": "python3.12",
            "Timeout": 900,
            "Code": {"ZipFile": zip_of({"function.py": "handler = None"})},
            "Environment": {"Variables": {"NAME": "value"}},
        }

    def _codebuild(self, _: str, unique: str) -> Params:
        return {
            "name": unique,
            "source": {"type": "CODEPIPELINE", "buildspec": "version: 0.2"},
            "artifacts": {"type": "CODEPIPELINE"},
            "environment": {
                "type": "LINUX_CONTAINER",
                "image": "aws/codebuild/amazonlinux-x86_64-standard:5.0",
                "computeType": "BUILD_GENERAL1_SMALL",
            },
            "serviceRole": self.roles["codebuild"],
        }

    def _codepipeline(self, _: str, unique: str) -> Params:
        return {
            "pipeline": {
                "name": unique,
                "roleArn": self.bench.role,
                "artifactStore": {"type": "S3", "location": "artifact-bucket"},
                "pipelineType": "V2",
                "stages": [
                    {"name": "Source", "actions": [s3_source()]},
                    {"name": "Ask", "actions": [action("Approve", "Manual", {"CustomData": "#{Dataset.ETag}"})]},
                ],
            }
        }

    def _cloudformation(self, operation: str, unique: str) -> Params:
        properties = self._cloudwatch("PutMetricAlarm", f"{unique}-alarm")
        template = {
            "Parameters": {"Threshold": {"Type": "String", "Default": "1"}},
            "Resources": {"Alarm": {"Type": "AWS::CloudWatch::Alarm", "Properties": properties}},
        }
        request = {"StackName": unique, "TemplateBody": json.dumps(template)}
        if operation == "CreateChangeSet":
            return {**request, "ChangeSetName": "changes", "ChangeSetType": "CREATE"}
        return request

    def _ecr(self, operation: str, unique: str) -> Params:
        if operation == "CreateRepository":
            return {"repositoryName": unique}
        manifest = json.dumps({"schemaVersion": 2, "mediaType": DOCKER_MANIFEST, "config": {"digest": unique}})
        return {"repositoryName": "images", "imageManifest": manifest, "imageTag": unique}

    def _logs(self, operation: str, unique: str) -> Params:
        if operation == "CreateLogGroup":
            return {"logGroupName": f"/{unique}"}
        return {"logGroupName": "/logs", "retentionInDays": 30}

    def _s3(self, operation: str, unique: str) -> Params:
        if operation == "CreateBucket":
            return {"Bucket": unique}
        if operation == "PutObjectTagging":
            return {"Bucket": DATA, "Key": "model.tar.gz", "Tagging": {"TagSet": [{"Key": "a", "Value": "b"}]}}
        return {"Bucket": DATA, "Key": unique, "Body": b"abc", "Metadata": {"made-by": "test"}}
