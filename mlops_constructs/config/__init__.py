"""What a pipeline is made of: frozen, keyword-only dataclasses that check themselves. Pure Python."""

from .algorithm import Algorithm
from .approval import Approval
from .contract import Column, DataContract
from .dataset import Dataset
from .endpoint import Autoscaling, DataCapture, Endpoint, Rollout, SmokeTest
from .evaluation import Evaluation, Threshold
from .existing import Existing
from .notebook import Notebook
from .pipeline import PipelineConfig
from .processing import Processing
from .profile import Profile
from .training import Training

__all__ = [
    "Algorithm",
    "Approval",
    "Autoscaling",
    "Column",
    "DataCapture",
    "DataContract",
    "Dataset",
    "Endpoint",
    "Evaluation",
    "Existing",
    "Notebook",
    "PipelineConfig",
    "Processing",
    "Profile",
    "Rollout",
    "SmokeTest",
    "Threshold",
    "Training",
]
