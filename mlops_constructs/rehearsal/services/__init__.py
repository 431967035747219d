"""The parts of AWS that we do ourselves; moto does the rest."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlops_constructs.rehearsal.services._base import Service

# DRAFT: becomes plain imports when all modules exist
SERVICES: list[type[Service]] = []
GAPS: list[type[Service]] = []
_HERE = "mlops_constructs.rehearsal.services."
for _module, _names in {
    "s3": ["S3Service"],
    "events": ["EventsService"],
    "lambda_": ["LambdaService"],
    "codecommit": ["CodeCommitService"],
    "codepipeline": ["CodePipelineService"],
    "codebuild": ["CodeBuildService"],
    "cloudformation": ["CloudFormationService"],
    "sagemaker": ["SageMakerService", "SageMakerRuntimeService"],
}.items():
    try:
        _loaded = import_module(_HERE + _module)
    except ModuleNotFoundError as _error:
        if _error.name != _HERE + _module:
            raise
        continue
    SERVICES.extend(getattr(_loaded, _name) for _name in _names)
