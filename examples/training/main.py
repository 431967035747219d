"""Two ways to train: a tuning job for the best hyperparameters, and a job of days on spot instances in a VPC."""

from pathlib import Path

from mlops_constructs import (
    Algorithm,
    Dataset,
    IntegerParameter,
    MLOpsPipeline,
    Network,
    Profile,
    Retry,
    Spot,
    Training,
    Tuning,
)
from mlops_constructs.provider import AwsProvider

from cdktf import App, TerraformStack

CONTAINER = Path(__file__).parents[2] / "container"
DAY = 24 * 60 * 60


class Trainings(TerraformStack):
    """One stack, two pipelines."""

    def __init__(self, scope: App, id: str) -> None:
        super().__init__(scope, id)
        AwsProvider(self, "aws", region="eu-west-1")
        algorithm = Algorithm.from_directory(CONTAINER)
        # region: tuning
        MLOpsPipeline(
            self,
            "search",
            algorithm=algorithm,
            dataset=Dataset(),
            tuning=Tuning(
                hyperparameter_ranges={"n_estimators": IntegerParameter(10, 60), "max_depth": IntegerParameter(2, 6)},
                objective_metric_name="validation:accuracy",
                max_jobs=3,
                max_parallel_jobs=2,
            ),
            **Profile.sandbox(
                training=Training(instance_type="ml.m5.large", hyperparameters={"random_state": 42}), notebook=None
            ),
        )
        # endregion
        # region: long
        MLOpsPipeline(
            self,
            "patient",
            algorithm=algorithm,
            dataset=Dataset(),
            network=Network(subnet_ids=["subnet-0a1b2c3d", "subnet-4e5f6a7b"], security_group_ids=["sg-0a1b2c3d"]),
            **Profile.sandbox(
                training=Training(
                    instance_type="ml.g5.2xlarge",
                    max_runtime_in_seconds=3 * DAY,
                    spot=Spot(max_wait_time_in_seconds=5 * DAY),
                    retry=Retry(fallback_instance_types=["ml.g5.4xlarge"]),
                    hyperparameters={"n_estimators": 40},
                ),
                notebook=None,
            ),
        )
        # endregion


app = App()
Trainings(app, "training")
app.synth()
