"""What goes wrong: one of these at a time."""

from __future__ import annotations

from mlops_constructs.local_aws.faults.recorder import Call
from mlops_constructs.rehearsal.sweep import sweep

# What the functions of a release and of a failed execution call, and how often; a test compares it with a release. How
# often a call that reads is made does not matter.
CALLS: dict[str, dict[str, int]] = {
    "check-dataset": {
        "cloudformation.DescribeStacks": 1,
        "codepipeline.GetPipelineExecution": 1,
        "codepipeline.PutJobSuccessResult": 1,
        "iam.GetRole": 4,
        "s3.CopyObject": 2,
        "s3.GetObject": 1,
        "s3.HeadObject": 1,
        "s3.PutObject": 2,
        "sns.GetTopicAttributes": 1,
    },
    "train-model": {
        "codepipeline.GetPipelineExecution": 1,
        "codepipeline.PutJobSuccessResult": 2,
        "sagemaker.CreateTrainingJob": 1,
        "sagemaker.DescribeTrainingJob": 1,
        "ssm.GetParameter": 1,
    },
    "run-evaluation": {
        "codepipeline.GetPipelineExecution": 1,
        "codepipeline.PutJobSuccessResult": 2,
        "sagemaker.CreateProcessingJob": 1,
        "sagemaker.DescribeProcessingJob": 1,
    },
    "register-model": {
        "codepipeline.PutJobSuccessResult": 1,
        "ecr.DescribeImages": 1,
        "s3.GetObject": 1,
        "s3.ListObjectsV2": 1,
        "s3.PutObject": 1,
        "sagemaker.CreateModelPackage": 1,
        "sagemaker.DescribeTrainingJob": 1,
        "sagemaker.ListModelPackages": 1,
    },
    "evaluate-model": {
        "cloudformation.DescribeStacks": 1,
        "codepipeline.PutJobSuccessResult": 1,
        "sagemaker.DescribeModelPackage": 1,
    },
    "retire-dev": {
        "cloudformation.DeleteStack": 1,
        "cloudformation.DescribeStacks": 1,
        "codepipeline.PutJobSuccessResult": 1,
    },
    "smoke-test-dev": {
        "codepipeline.PutJobSuccessResult": 1,
        "s3.GetObject": 1,
        "sagemaker-runtime.InvokeEndpoint": 1,
        "sagemaker.DescribeEndpoint": 1,
        "sagemaker.DescribeEndpointConfig": 1,
        "sagemaker.DescribeModel": 1,
    },
    "gather-evidence": {
        "cloudformation.DescribeStacks": 1,
        "codepipeline.ListActionExecutions": 1,
        "codepipeline.PutJobSuccessResult": 1,
        "s3.PutObject": 2,
        "sagemaker.DescribeModelPackage": 1,
        "ecr.DescribeImageScanFindings": 1,
    },
    "record-decision": {
        "cloudformation.DescribeStacks": 1,
        "codepipeline.ListActionExecutions": 1,
        "codepipeline.PutJobSuccessResult": 1,
        "sagemaker.DescribeModelPackage": 1,
        "sagemaker.UpdateModelPackage": 1,
    },
    "smoke-test-production": {
        "codepipeline.PutJobSuccessResult": 1,
        "s3.GetObject": 1,
        "sagemaker-runtime.InvokeEndpoint": 1,
        "sagemaker.DescribeEndpoint": 1,
        "sagemaker.DescribeEndpointConfig": 1,
        "sagemaker.DescribeModel": 1,
    },
    "record-release": {
        "cloudwatch.PutMetricData": 1,
        "codepipeline.ListActionExecutions": 1,
        "codepipeline.PutJobSuccessResult": 1,
        "s3.GetObject": 1,
        "s3.ListObjectsV2": 1,
        "s3.PutObject": 1,
        "sagemaker.DescribeEndpoint": 1,
        "sagemaker.DescribeModelPackage": 1,
        "sagemaker.UpdateModelPackage": 1,
    },
    "stop-training": {
        "codepipeline.GetPipelineExecution": 1,
        "sagemaker.ListTrainingJobs": 1,
        "sagemaker.ListProcessingJobs": 1,
    },
}
_FREQUENT = ("refuse", "lose", "kill", "twice-event", "twice-function", "crash", "stack", "damage", "delete")
# Of a call that is refused: at first only, or for longer than a function tries: 6 attempts in each of 3 deliveries.
# One that asks to be invoked again waits for 15 s in each: many more would take longer than anything may take here.
_LASTING = "times=24"
_OTHERS = (
    "twice-event:Object Created:times=99",
    "twice-event:*:times=99",
    "twice-function:*:times=99",
    "twice:s3.PutObject",
    "twice:sagemaker.CreateTrainingJob",
    "twice:cloudformation.DeleteStack",
    "refuse:sagemaker.CreateTrainingJob:ThrottlingException:times=8",
    "refuse:sagemaker.DescribeTrainingJob:ThrottlingException:times=7",
    "refuse:codepipeline.PutJobSuccessResult:ThrottlingException:times=3",
    "refuse:s3.PutObject:SlowDown:caller=record-release:times=20",
    "refuse:sagemaker.CreateEndpoint:ResourceLimitExceeded",
    "refuse:sagemaker.UpdateEndpoint:ResourceLimitExceeded",
    "refuse:sagemaker.CreateModel:ThrottlingException",
    "delay:sagemaker.DescribeEndpoint:seconds=2",
    "crash:training:how=kill",
    "crash:training:how=memory",
    "crash:processing:how=kill",
    "crash:serving:name=dev:times=99",
    "crash:serving:name=production",
    "crash:serving:name=production:times=99",
    "quota:ml.m5.large for endpoint usage:0",
    "quota:ml.m5.xlarge for training job usage:0",
    "key:{pipeline}:state=disabled:at=Train",
    "key:{pipeline}:state=disabled:at=Approve",
    "key:{pipeline}:state=pending-deletion:at=RecordApproval",
    "stack:{production}:UPDATE_ROLLBACK_FAILED:at=now",
    "stack:{production}:UPDATE_ROLLBACK_FAILED:at=Train",
    "stack:{production}:UPDATE_ROLLBACK_FAILED:at=Evidence",
    "stack:{production}:UPDATE_ROLLBACK_FAILED:at=RecordApproval",
    "stack:{production}:UPDATE_FAILED:at=Register",
    "stack:{production}:UPDATE_IN_PROGRESS:at=Approve",
    "damage:model.tar.gz:how=garbage:at=Approve",
    "damage:model.tar.gz:how=truncate:at=Register",
    "damage:evaluation.json:how=garbage:at=Register",
    "damage:evaluation.json:how=empty:at=Register",
    "damage:set.json:how=truncate:at=CheckDataset",
    "delete:object:set.json:at=CheckDataset",
    "delete:object:model.tar.gz:at=Approve",
    "delete:model-package:{pipeline}:at=Approve",
    "delete:model-package:{pipeline}:at=PrepareChangeSet",
    "delete:model-package:{pipeline}:at=RecordRelease",
    "delete:endpoint:dev:at=SmokeTest",
    "alarm:{production}-*",
    "clock:86400",
    "clock:-86400",
)


def _of_calls() -> list[str]:
    calls = [
        Call(function, *name.split("."))
        for function, names in CALLS.items()
        for name, count in names.items()
        for _ in range(count)
    ]
    once = [case.fault for case in sweep(calls)]
    refused = [fault for fault in once if fault.startswith("refuse:") and ":nth=" not in fault]
    return [*once, *(f"{fault}:{_LASTING}" for fault in refused)]


FAULTS = (*_OTHERS, *_of_calls())


def faults_by_kind() -> dict[str, list[str]]:
    """Return all faults by their kind; the rarer kinds are one."""
    found: dict[str, list[str]] = {}
    for text in FAULTS:
        kind = text.partition(":")[0]
        found.setdefault(kind if kind in _FREQUENT else "others", []).append(text)
    return found
