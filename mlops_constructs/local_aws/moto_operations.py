"""The operations that moto may handle: moto's response alone would pretend that something runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_TAGS = frozenset({"ListTagsForResource", "TagResource", "UntagResource"})

# By service, moto's operations that only store or return data. All other operations of these services are rejected.
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

# Operations that the local AWS does not implement, of services whose other operations only store or return data.
PRETENDING: Mapping[str, frozenset[str]] = {
    "logs": frozenset({"CreateExportTask", "PutMetricFilter", "PutSubscriptionFilter", "StartLiveTail", "StartQuery"}),
    "s3": frozenset({"PutBucketReplication", "SelectObjectContent"}),
    "ssm": frozenset({"RegisterTaskWithMaintenanceWindow", "SendCommand"}),
}


def is_motos(service_name: str, operation: str) -> bool:
    """Whether moto may handle an operation."""
    keeping = KEEPING.get(service_name)
    if keeping is not None:
        return operation in keeping
    return operation not in PRETENDING.get(service_name, ())
