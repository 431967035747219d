"""The client of a deployed pipeline, for the commands, a rehearsal and the notebooks, on AWS and on the local AWS.

Start with ``DeployedPipeline.read(connect(), name)``. Only the standard library is imported here; boto3 is imported
when AWS is called.
"""

from __future__ import annotations

from .clients import connect, explained
from .datasets import UploadedDataset, upload_file, upload_set
from .endpoints import predict
from .executions import ActionExecution, Execution, Executions
from .pipeline import DeployedPipeline
from .releases import Releases

__all__ = [
    "ActionExecution",
    "DeployedPipeline",
    "Execution",
    "Executions",
    "Releases",
    "UploadedDataset",
    "connect",
    "explained",
    "predict",
    "upload_file",
    "upload_set",
]
