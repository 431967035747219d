"""What moto may answer: where something has to run, moto's answer alone would pretend that it does."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_TAGS = frozenset({"ListTagsForResource", "TagResource", "UntagResource"})

# Service to the operations of moto's that keep what they are given, and give it back. All others are refused.
KEEPING: Mapping[str, frozenset[str]] = {
    "cloudformation": frozenset({"GetTemplateSummary", "ValidateTemplate"}),
    "codebuild": frozenset({"ListProjects"}),
    "codecommit": frozenset({"DeleteRepository"}),
    "codepipeline": _TAGS | {"DeletePipeline"},
    "events": _TAGS
    | {
        "CreateEventBus",
        "DeleteEventBus",
        "DeleteRule",
        "DescribeEventBus",
        "DescribeRule",
        "DisableRule",
        "EnableRule",
        "ListEventBuses",
        "ListRuleNamesByTarget",
        "ListRules",
        "ListTargetsByRule",
        "PutPermission",
        "PutRule",
        "PutTargets",
        "RemovePermission",
        "RemoveTargets",
        "TestEventPattern",
    },
    "lambda": frozenset(
        {
            "AddPermission",
            "DeleteFunction",
            "GetFunctionCodeSigningConfig",
            "GetFunctionConcurrency",
            "GetPolicy",
            "ListFunctions",
            "ListTags",
            "ListVersionsByFunction",
            "RemovePermission",
            "TagResource",
            "UntagResource",
            "UpdateFunctionCode",
        }
    ),
    "sagemaker": frozenset(
        {
            "CreateModel",
            "CreateModelPackageGroup",
            "CreateNotebookInstance",
            "CreateNotebookInstanceLifecycleConfig",
            "DeleteModel",
            "DeleteNotebookInstance",
            "DeleteNotebookInstanceLifecycleConfig",
            "DescribeModel",
            "DescribeModelPackage",
            "DescribeModelPackageGroup",
            "DescribeNotebookInstanceLifecycleConfig",
            "ListModelPackageGroups",
            "ListModelPackages",
            "ListModels",
            "ListNotebookInstances",
            "StartNotebookInstance",
            "StopNotebookInstance",
        }
    ),
    "sagemaker-runtime": frozenset(),
}

# What nobody does of the services that else only keep things.
PRETENDING: Mapping[str, frozenset[str]] = {
    "application-autoscaling": frozenset({"PutScheduledAction"}),
    "logs": frozenset({"CreateExportTask", "PutMetricFilter", "PutSubscriptionFilter", "StartLiveTail", "StartQuery"}),
    "s3": frozenset({"PutBucketReplication", "SelectObjectContent"}),
    "ssm": frozenset({"RegisterTaskWithMaintenanceWindow", "SendCommand"}),
}


def is_motos(service_name: str, operation: str) -> bool:
    """Whether an operation may be answered by moto."""
    keeping = KEEPING.get(service_name)
    if keeping is not None:
        return operation in keeping
    return operation not in PRETENDING.get(service_name, ())
