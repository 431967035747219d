"""A pipeline that scores files: each upload is a transform job, with the model that is in production."""

from pathlib import Path

from mlops_constructs import Algorithm, Approval, BatchTransform, Dataset, Endpoint, MLOpsPipeline
from mlops_constructs.provider import AwsProvider

from cdktf import App, TerraformStack

CONTAINER = Path(__file__).parents[2] / "container"

# region: batch
BATCH = BatchTransform(
    instance_type="ml.m5.large",
    input_filter="$[1:]",  # The first column is a customer's number, which the model does not get.
    join_source="Input",
    output_filter="$[0,-1]",  # The number, and the prediction.
)
# endregion

# The same once a night, for all files that are in the folder then: `batch=NIGHTLY`.
# region: nightly
NIGHTLY = BatchTransform(schedule_expression="cron(0 2 * * ? *)", instance_count=4)
# endregion

# A team that only scores files pays for no instances in between: `dev=IDLE, production=IDLE`.
# region: idle
IDLE = Endpoint.serverless()
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
            batch=BATCH,
            approval=Approval(emails=["ml-team@example.com"]),
        )
        pipeline.grant_score("crm", role_name="crm-export")
        # endregion


app = App()
Iris(app, "iris")
app.synth()
