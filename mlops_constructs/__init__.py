"""A production MLOps pipeline on AWS as one CDK for Terraform construct.

Importing this package does not start jsii or import CDKTF until ``MLOpsPipeline`` is accessed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

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

if TYPE_CHECKING:
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
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
