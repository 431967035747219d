"""The parts of AWS that we do ourselves; moto does the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_constructs.rehearsal.services.cloudformation import CloudFormationService
from mlops_constructs.rehearsal.services.codebuild import CodeBuildService
from mlops_constructs.rehearsal.services.codecommit import CodeCommitService
from mlops_constructs.rehearsal.services.codepipeline import CodePipelineService
from mlops_constructs.rehearsal.services.connections import ConnectionsService
from mlops_constructs.rehearsal.services.events import EventsService
from mlops_constructs.rehearsal.services.lambda_ import LambdaService
from mlops_constructs.rehearsal.services.model_registry import ModelRegistry
from mlops_constructs.rehearsal.services.moto_gaps import (
    CodeBuildProjects,
    LambdaConfigurations,
    NotebookConfigurations,
)
from mlops_constructs.rehearsal.services.notebooks import NotebookInstances
from mlops_constructs.rehearsal.services.parameters import ParametersService
from mlops_constructs.rehearsal.services.registries import RegistriesService
from mlops_constructs.rehearsal.services.s3 import S3Service
from mlops_constructs.rehearsal.services.sagemaker import SageMakerService
from mlops_constructs.rehearsal.services.sagemaker_processing import ProcessingJobs
from mlops_constructs.rehearsal.services.sagemaker_runtime import SageMakerRuntimeService

if TYPE_CHECKING:
    from mlops_constructs.rehearsal.services._base import Service

SERVICES: tuple[type[Service], ...] = (
    S3Service,
    EventsService,
    LambdaService,
    CodeCommitService,
    ConnectionsService,
    ParametersService,
    RegistriesService,
    SageMakerService,
    SageMakerRuntimeService,
    CloudFormationService,
    CodeBuildService,
    CodePipelineService,
)
"""In the order they start; they close in the opposite one."""

GAPS: tuple[type[Service], ...] = (
    CodeBuildProjects,
    LambdaConfigurations,
    ModelRegistry,
    NotebookConfigurations,
    NotebookInstances,
    ProcessingJobs,
)
"""What mends moto's answers without a life of its own."""
