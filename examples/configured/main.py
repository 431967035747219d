"""A pipeline with a team's own choices: every argument here has a default, and each can be replaced."""

from pathlib import Path

from mlops_constructs import (
    Algorithm,
    Approval,
    Autoscaling,
    Cost,
    DataCapture,
    Dataset,
    Endpoint,
    Evaluation,
    MLOpsPipeline,
    Notebook,
    Rollout,
    Training,
)
from mlops_constructs.provider import AwsProvider

from cdktf import App, TerraformStack

CONTAINER = Path(__file__).parents[2] / "container"


class Churn(TerraformStack):
    """One stack, one pipeline."""

    def __init__(self, scope: App, id: str) -> None:
        super().__init__(scope, id)
        AwsProvider(self, "aws", region="eu-west-1")
        # region: pipeline
        pipeline = MLOpsPipeline(
            self,
            "churn",
            algorithm=Algorithm.from_directory(CONTAINER, branch="main"),
            dataset=Dataset(prefix="customers/"),
            training=Training(instance_type="ml.m5.2xlarge", hyperparameters={"n_estimators": 300}),
            evaluation=Evaluation(min_value=0.85, beat_production_by=0.01),
            production=Endpoint(
                instance_type="ml.c5.large",
                initial_instance_count=3,
                autoscaling=Autoscaling(min_capacity=3, max_capacity=12, invocations_per_instance=1000),
                rollout=Rollout.linear(step_percent=25, wait_interval_in_seconds=600),
                data_capture=DataCapture(sampling_percentage=10),
            ),
            approval=Approval(emails=["ml-leads@example.org"], timeout_in_minutes=8 * 60),
            cost=Cost(max_training_usd=20, hourly_prices_usd={"ml.m5.2xlarge": 0.48}),
            notebook=Notebook(idle_timeout_in_minutes=30),
        )
        # endregion
        # region: grants
        pipeline.grant_upload("nightly_export", role_name="customer-export")
        pipeline.grant_invoke("web_shop", role_name="web-shop")
        pipeline.grant_approve("leads", role_name="ml-leads")
        # endregion


app = App()
Churn(app, "churn")
app.synth()
