"""The parts of SageMaker that run something, training jobs and endpoints. The rest is moto's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_constructs.local_aws.sagemaker.endpoint_configs import EndpointConfigs
from mlops_constructs.local_aws.sagemaker.endpoints import Endpoints
from mlops_constructs.local_aws.sagemaker.runtime import SageMakerRuntimeService
from mlops_constructs.local_aws.sagemaker.training import TrainingJobs
from mlops_constructs.local_aws.sagemaker.tuning import TuningJobs
from mlops_constructs.local_aws.service import Params, PassToMoto, Service

if TYPE_CHECKING:
    from mlops_constructs.local_aws.local_aws import LocalAws

__all__ = ["SageMakerRuntimeService", "SageMakerService"]

_NOT_TAGGED_BY_MOTO = (
    *("training-job", "hyper-parameter-tuning-job", "endpoint", "endpoint-config"),
    "notebook-instance-lifecycle-config",
)


class SageMakerService(Service):
    """sagemaker."""

    service_name = "sagemaker"

    def __init__(self, aws: LocalAws) -> None:
        super().__init__(aws)
        self.training = TrainingJobs(aws)
        self.tuning = TuningJobs(aws, self.training, self._create_child)
        self.configs = EndpointConfigs(aws)
        self.endpoints = Endpoints(aws)
        self._tags: dict[str, dict[str, str]] = {}

    def close(self) -> None:
        """End training and serving processes."""
        self.training.close()
        self.endpoints.close()

    def create_training_job(self, params: Params) -> Params:
        """Run the image's `train` in the background."""
        answer = self.training.create(params)
        self._tag(answer["TrainingJobArn"], params)
        return answer

    def describe_training_job(self, params: Params) -> Params:
        """The state of a training job."""
        return self.training.describe(params)

    def list_training_jobs(self, params: Params) -> Params:
        """Training jobs by name or status."""
        return self.training.list_jobs(params)

    def stop_training_job(self, params: Params) -> Params:
        """Ask a training job to end."""
        return self.training.stop(params)

    def create_hyper_parameter_tuning_job(self, params: Params) -> Params:
        """Run training jobs with chosen hyperparameters in the background."""
        answer = self.tuning.create(params)
        self._tag(answer["HyperParameterTuningJobArn"], params)
        return answer

    def describe_hyper_parameter_tuning_job(self, params: Params) -> Params:
        """The state of a tuning job."""
        return self.tuning.describe(params)

    def list_hyper_parameter_tuning_jobs(self, params: Params) -> Params:
        """Tuning jobs by name."""
        return self.tuning.list_jobs(params)

    def list_training_jobs_for_hyper_parameter_tuning_job(self, params: Params) -> Params:
        """The training jobs of a tuning job."""
        return self.tuning.list_training_jobs(params)

    def stop_hyper_parameter_tuning_job(self, params: Params) -> Params:
        """Ask a tuning job to end."""
        return self.tuning.stop(params)

    def create_endpoint_config(self, params: Params) -> Params:
        """Keep what an endpoint is to serve."""
        answer = self.configs.create(params)
        self._tag(answer["EndpointConfigArn"], params)
        return answer

    def describe_endpoint_config(self, params: Params) -> Params:
        """A configuration as it was made."""
        return self.configs.describe(params)

    def list_endpoint_configs(self, params: Params) -> Params:
        """Configurations by name."""
        return self.configs.list_configs(params)

    def delete_endpoint_config(self, params: Params) -> Params:
        """Forget a configuration."""
        arn = self.configs.delete(params)
        with self.lock:
            self._tags.pop(arn, None)
        return {}

    def create_endpoint(self, params: Params) -> Params:
        """Run the image's `serve` in the background."""
        answer = self.endpoints.create(params)
        self._tag(answer["EndpointArn"], params)
        return answer

    def describe_endpoint(self, params: Params) -> Params:
        """The state of an endpoint."""
        return self.endpoints.describe(params)

    def list_endpoints(self, params: Params) -> Params:
        """Endpoints by name or status."""
        return self.endpoints.list_endpoints(params)

    def update_endpoint(self, params: Params) -> Params:
        """Serve another configuration."""
        return self.endpoints.update(params)

    def update_endpoint_weights_and_capacities(self, params: Params) -> Params:
        """Shift traffic between variants."""
        return self.endpoints.update_weights_and_capacities(params)

    def delete_endpoint(self, params: Params) -> Params:
        """Stop serving."""
        arn = self.endpoints.find(params["EndpointName"]).arn
        answer = self.endpoints.delete(params)
        with self.lock:
            self._tags.pop(arn, None)
        return answer

    def list_tags(self, params: Params) -> Params:
        """Tags of what is ours, and of the lifecycle configurations that moto has no tags for."""
        with self.lock:
            return {"Tags": _as_list(self._own_tags(params["ResourceArn"]))}

    def add_tags(self, params: Params) -> Params:
        """Set tags; returns all of them."""
        with self.lock:
            tags = self._own_tags(params["ResourceArn"])
            tags.update({tag["Key"]: tag["Value"] for tag in params["Tags"]})
            return {"Tags": _as_list(tags)}

    def delete_tags(self, params: Params) -> Params:
        """Remove tags by key."""
        with self.lock:
            tags = self._own_tags(params["ResourceArn"])
            for key in params["TagKeys"]:
                tags.pop(key, None)
        return {}

    def _create_child(self, params: Params, tuning_job_arn: str) -> Params:
        answer = self.training.create(params, tuning_job_arn)
        self._tag(answer["TrainingJobArn"], params)
        return answer

    def _own_tags(self, arn: str) -> dict[str, str]:
        """Raises `PassToMoto` when moto keeps the tags of this kind of resource."""
        kind = arn.split(":", 5)[-1].split("/")[0]
        if kind not in _NOT_TAGGED_BY_MOTO:
            raise PassToMoto
        return self._tags.setdefault(arn, {})

    def _tag(self, arn: str, params: Params) -> None:
        with self.lock:
            self._own_tags(arn).update({tag["Key"]: tag["Value"] for tag in params.get("Tags", [])})


def _as_list(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]
