"""A pipeline whose releases become challengers: an A/B test compares each with the champion."""

from pathlib import Path

from mlops_constructs import (
    ABMetric,
    ABTest,
    Algorithm,
    Autoscaling,
    DataCapture,
    Dataset,
    Endpoint,
    MLOpsPipeline,
    StickyUsers,
)
from mlops_constructs.provider import AwsProvider

from cdktf import App, TerraformStack

CONTAINER = Path(__file__).parents[2] / "container"

# region: test
TEST = ABTest(
    challenger_weight=0.1,
    metric=ABMetric.accuracy(),
    guardrails=[
        ABMetric.server_errors(tolerance=0.005),
        ABMetric.latency(max_latency_ms=300, tolerance=0.01),
    ],
    maturity_window_in_hours=24.0,  # Every outcome is known a day after its request.
    maximum_days=28.0,
    guard=True,
)
# endregion

# The same for users who stay at one variant: `ab_test=OF_USERS`, and the callers use `StickyAssignment`.
# region: sticky
OF_USERS = ABTest(challenger_weight=0.1, metric=ABMetric.success(), sticky=StickyUsers(horizon_in_hours=24.0))
# endregion


class Iris(TerraformStack):
    """One stack, one pipeline."""

    def __init__(self, scope: App, id: str) -> None:
        super().__init__(scope, id)
        AwsProvider(self, "aws", region="us-east-1")
        # region: pipeline
        pipeline = MLOpsPipeline(
            self,
            "iris",
            algorithm=Algorithm.from_directory(CONTAINER),
            dataset=Dataset(),
            production=Endpoint.for_production(
                autoscaling=Autoscaling(min_capacity=2, max_capacity=6),
                data_capture=DataCapture(sampling_percentage=100),
            ),
            ab_test=TEST,
        )
        # endregion
        # region: grants
        pipeline.grant_assign_users("web_shop", role_name="web-shop")
        pipeline.grant_report_outcomes("accounting", role_name="accounting")
        pipeline.grant_operate_ab_test("product", role_name="product-managers")
        pipeline.grant_approve("leads", role_name="ml-leads")
        # endregion


app = App()
Iris(app, "iris")
app.synth()
