"""The parts of AWS that we do ourselves; moto does the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_constructs.local_aws.cloudformation.service import CloudFormationService
from mlops_constructs.local_aws.codebuild.projects import CodeBuildProjects
from mlops_constructs.local_aws.codebuild.service import CodeBuildService
from mlops_constructs.local_aws.codecommit.service import CodeCommitService
from mlops_constructs.local_aws.codepipeline.service import CodePipelineService
from mlops_constructs.local_aws.connections.service import ConnectionsService
from mlops_constructs.local_aws.ecr.service import RegistriesService
from mlops_constructs.local_aws.events.service import EventsService
from mlops_constructs.local_aws.lambda_.configurations import LambdaConfigurations
from mlops_constructs.local_aws.lambda_.service import LambdaService
from mlops_constructs.local_aws.s3 import S3Service
from mlops_constructs.local_aws.sagemaker.model_registry import ModelRegistry
from mlops_constructs.local_aws.sagemaker.notebooks import NotebookConfigurations, NotebookInstances
from mlops_constructs.local_aws.sagemaker.processing import ProcessingJobs
from mlops_constructs.local_aws.sagemaker.runtime import SageMakerRuntimeService
from mlops_constructs.local_aws.sagemaker.service import SageMakerService
from mlops_constructs.local_aws.ssm import ParametersService

if TYPE_CHECKING:
    from mlops_constructs.local_aws.service import Service

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
