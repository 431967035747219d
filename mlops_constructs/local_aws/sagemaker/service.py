"""SageMaker, put together from its sets of operations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_constructs.local_aws.sagemaker.async_invocations import AsyncInvocations
from mlops_constructs.local_aws.sagemaker.endpoint_configs import EndpointConfigs
from mlops_constructs.local_aws.sagemaker.endpoints import Endpoints
from mlops_constructs.local_aws.sagemaker.model_registry import ModelRegistry
from mlops_constructs.local_aws.sagemaker.models import Models
from mlops_constructs.local_aws.sagemaker.notebooks import NotebookConfigurations, NotebookInstances
from mlops_constructs.local_aws.sagemaker.processing import ProcessingJobs
from mlops_constructs.local_aws.sagemaker.runtime import Invocations
from mlops_constructs.local_aws.sagemaker.tags import Tags
from mlops_constructs.local_aws.sagemaker.training import TrainingJobs
from mlops_constructs.local_aws.sagemaker.transform import TransformJobs
from mlops_constructs.local_aws.sagemaker.tuning import TuningJobs

if TYPE_CHECKING:
    from mlops_constructs.local_aws.account import Account
    from mlops_constructs.local_aws.cloudwatch.metrics import Metrics
    from mlops_constructs.local_aws.containers.host import ContainerHost
    from mlops_constructs.local_aws.service import Service
    from mlops_constructs.local_aws.service_quotas import ServiceQuotasService


class SageMaker:
    """The parts of SageMaker that run something, or whose members moto drops. moto implements the rest.

    Attributes:
        services: All of them, in the order in which they start.
    """

    def __init__(
        self, account: Account, containers: ContainerHost, quotas: ServiceQuotasService, metrics: Metrics
    ) -> None:
        self.tags = Tags(account)
        self.training_jobs = TrainingJobs(account, containers, self.tags, quotas)
        self.tuning_jobs = TuningJobs(account, self.training_jobs, self.tags)
        self.processing_jobs = ProcessingJobs(account, containers, self.tags)
        self.transform_jobs = TransformJobs(account, containers, self.tags, quotas)
        self.model_registry = ModelRegistry(account)
        self.endpoint_configs = EndpointConfigs(account, self.tags)
        self.endpoints = Endpoints(account, containers, self.tags, quotas)
        self.invocations = Invocations(account, self.endpoints, metrics)
        self.async_invocations = AsyncInvocations(account, self.endpoints, metrics)
        self.services: tuple[Service, ...] = (
            self.tags,
            self.training_jobs,
            self.tuning_jobs,
            self.processing_jobs,
            self.transform_jobs,
            Models(account),
            self.model_registry,
            self.endpoint_configs,
            self.endpoints,
            self.invocations,
            self.async_invocations,
            NotebookInstances(account),
            NotebookConfigurations(account),
        )
