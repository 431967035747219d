"""Operations that moto would take, and that nothing would carry out."""

from __future__ import annotations

from typing import Any

CALLS = (
    "cloudformation:CreateStackSet",
    "cloudformation:DescribeStackResource",
    "events:CreateApiDestination",
    "events:CreateArchive",
    "events:StartReplay",
    "lambda:CreateAlias",
    "lambda:CreateEventSourceMapping",
    "lambda:CreateFunctionUrlConfig",
    "lambda:PublishLayerVersion",
    "lambda:PutFunctionEventInvokeConfig",
    "logs:CreateExportTask",
    "logs:PutSubscriptionFilter",
    "logs:StartQuery",
    "s3:PutBucketReplication",
    "sagemaker:CreateAutoMLJobV2",
    "sagemaker:CreateCluster",
    "sagemaker:CreateCompilationJob",
    "sagemaker:CreateDataQualityJobDefinition",
    "sagemaker:CreateDomain",
    "sagemaker:CreatePipeline",
    "sagemaker:StartPipelineExecution",
    "ssm:SendCommand",
)
# What stands in the address of a call, which cannot be sent without it.
PARAMS: dict[str, dict[str, Any]] = {
    "lambda:CreateAlias": {"FunctionName": "f"},
    "lambda:CreateFunctionUrlConfig": {"FunctionName": "f"},
    "lambda:PublishLayerVersion": {"LayerName": "l"},
    "lambda:PutFunctionEventInvokeConfig": {"FunctionName": "f"},
    "s3:PutBucketReplication": {"Bucket": "data-bucket"},
}
