"""A production MLOps pipeline on AWS as one CDK for Terraform construct.

Importing this package imports nothing else until a name is accessed: the ``mlops`` command must have begun before a
Ctrl-C can be handled. Only ``MLOpsPipeline`` starts jsii and imports CDKTF.
"""

from __future__ import annotations

# Type checkers know the name; importing ``typing`` would take longer than everything else here.
TYPE_CHECKING = False

if TYPE_CHECKING:
    from .config import (
        ABMetric,
        ABTest,
        Alarms,
        Algorithm,
        Approval,
        AsyncInferenceConfig,
        Autoscaling,
        BatchTransform,
        CategoricalParameter,
        Checkpoints,
        Column,
        ContinuousParameter,
        Cost,
        DataCapture,
        DataContract,
        Dataset,
        Endpoint,
        EndpointLimits,
        Evaluation,
        EvaluationJob,
        Existing,
        Hyperband,
        IntegerParameter,
        Monitoring,
        Network,
        Notebook,
        OfficeHours,
        Profile,
        Quality,
        Requests,
        Retraining,
        Retry,
        Rollout,
        ServerlessConfig,
        SmokeTest,
        Spot,
        StickyUsers,
        Threshold,
        Training,
        TrainingLimits,
        Tuning,
    )
    from .errors import ConfigError, MlopsError, PayloadError, Problem, RehearsalError
    from .pipeline import MLOpsPipeline

__all__ = [
    "ABMetric",
    "ABTest",
    "Alarms",
    "Algorithm",
    "Approval",
    "AsyncInferenceConfig",
    "Autoscaling",
    "BatchTransform",
    "CategoricalParameter",
    "Checkpoints",
    "Column",
    "ConfigError",
    "ContinuousParameter",
    "Cost",
    "DataCapture",
    "DataContract",
    "Dataset",
    "Endpoint",
    "EndpointLimits",
    "Evaluation",
    "EvaluationJob",
    "Existing",
    "Hyperband",
    "IntegerParameter",
    "MLOpsPipeline",
    "MlopsError",
    "Monitoring",
    "Network",
    "Notebook",
    "OfficeHours",
    "PayloadError",
    "Problem",
    "Profile",
    "Quality",
    "RehearsalError",
    "Requests",
    "Retraining",
    "Retry",
    "Rollout",
    "ServerlessConfig",
    "SmokeTest",
    "Spot",
    "StickyUsers",
    "Threshold",
    "Training",
    "TrainingLimits",
    "Tuning",
]


def __getattr__(name: str) -> object:
    if name == "MLOpsPipeline":
        from ._jsii_node import use_packaged_node

        # Before CDKTF: jsii starts Node at its first import.
        use_packaged_node()
        from .pipeline import MLOpsPipeline

        return MLOpsPipeline
    if name in __all__:
        from . import config, errors

        return getattr(errors if hasattr(errors, name) else config, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
