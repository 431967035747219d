"""A pipeline whose candidates are evaluated by the team's own program, on records that are not used in training."""

from pathlib import Path

from mlops_constructs import (
    Alarms,
    Algorithm,
    Approval,
    Cost,
    Dataset,
    Endpoint,
    Evaluation,
    MLOpsPipeline,
    EvaluationJob,
    SmokeTest,
    Threshold,
    Training,
)
from mlops_constructs.provider import AwsProvider

from cdktf import App, TerraformStack

CONTAINER = Path(__file__).parent / "container"

# region: alarms
ALARMS = Alarms(max_latency_ms=500, max_client_error_percent=20, approval_reminder_percent=25)
COST = Cost(max_monthly_usd=500, budget_emails=["ml-leads@example.org"])
# endregion


class Sizes(TerraformStack):
    """One stack, one pipeline."""

    def __init__(self, scope: App, id: str) -> None:
        super().__init__(scope, id)
        AwsProvider(self, "aws", region="us-east-1")
        # region: evaluation
        MLOpsPipeline(
            self,
            "sizes",
            algorithm=Algorithm.from_directory(CONTAINER),
            dataset=Dataset(),
            training=Training(metric_definitions={}),
            evaluation=Evaluation(
                metric="accuracy",
                min_value=0.8,
                beat_production_by=0.0,
                rules=[Threshold(metric="worst_class_recall", min_value=0.7)],
                job=EvaluationJob(channel="test", instance_type="ml.m5.large"),
            ),
            dev=Endpoint(smoke_test=SmokeTest(confidence_level=0.95)),
            production=Endpoint(instance_type="ml.m5.large", initial_instance_count=2, hourly_price_usd=0.12),
            alarms=ALARMS,
            approval=Approval(timeout_in_minutes=8 * 60),
            cost=COST,
            removal="destroy",
        )
        # endregion


app = App()
Sizes(app, "sizes")
app.synth()
