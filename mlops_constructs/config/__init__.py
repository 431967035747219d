"""What a pipeline is made of: frozen, keyword-only dataclasses that check themselves. Pure Python."""

from .algorithm import Algorithm
from .approval import Approval
from .contract import Column, DataContract
from .dataset import Dataset
from .endpoint import Autoscaling, DataCapture, Endpoint, Rollout, SmokeTest
from .evaluation import Evaluation, Threshold
from .existing import Existing
from .network import Network
from .notebook import Notebook
from .pipeline import PipelineConfig
from .processing import Processing
from .profile import Profile
from .ranges import Categorical, Continuous, Integer
from .training import Checkpoints, Retry, Spot, Training
from .tuning import Hyperband, Tuning

__all__ = [
    "Algorithm",
    "Approval",
    "Autoscaling",
    "Categorical",
    "Checkpoints",
    "Column",
    "Continuous",
    "DataCapture",
    "DataContract",
    "Dataset",
    "Endpoint",
    "Evaluation",
    "Existing",
    "Hyperband",
    "Integer",
    "Network",
    "Notebook",
    "PipelineConfig",
    "Processing",
    "Profile",
    "Retry",
    "Rollout",
    "SmokeTest",
    "Spot",
    "Threshold",
    "Training",
    "Tuning",
]
