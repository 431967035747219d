"""The configuration of a pipeline: frozen, keyword-only dataclasses that validate themselves. Pure Python."""

from .ab_metric import ABMetric
from .ab_test import ABTest, StickyUsers
from .alarms import Alarms
from .algorithm import Algorithm
from .approval import Approval
from .autoscaling import Autoscaling
from .batch import BatchTransform
from .contract import Column, DataContract
from .cost import Cost
from .data_capture import DataCapture
from .dataset import Dataset
from .endpoint import Endpoint
from .evaluation import Evaluation, Threshold
from .evaluation_job import EvaluationJob
from .existing import Existing
from .monitoring import Monitoring, Quality
from .network import Network
from .notebook import Notebook
from .office_hours import OfficeHours
from .pipeline import PipelineConfig
from .profile import Profile
from .ranges import CategoricalParameter, ContinuousParameter, IntegerParameter
from .requests import EndpointLimits, Requests, TrainingLimits
from .retraining import Retraining
from .rollout import Rollout
from .serving import AsyncInferenceConfig, ServerlessConfig
from .smoke_test import SmokeTest
from .training import Checkpoints, Retry, Spot, Training
from .tuning import Hyperband, Tuning

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
    "Monitoring",
    "Network",
    "Notebook",
    "OfficeHours",
    "PipelineConfig",
    "Profile",
    "Quality",
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
