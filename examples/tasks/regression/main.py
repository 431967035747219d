"""The stack with the pipeline diabetes, a regression."""

# Import this before cdktf, so that jsii runs on the Node.js that pip installed, not on the one on PATH.
from mlops_constructs import Algorithm, Dataset, Endpoint, Evaluation, MLOpsPipeline, SmokeTest
from mlops_constructs.provider import AwsProvider

from cdktf import App, TerraformStack

# In the unit of the labels, which are 25 to 346 here.
MAX_ERROR = 80


class Diabetes(TerraformStack):
    def __init__(self, scope: App, id: str) -> None:
        super().__init__(scope, id)
        AwsProvider(self, "aws", region="us-east-1")
        smoke_test = SmokeTest.for_regression(max_rmse=2 * MAX_ERROR)
        MLOpsPipeline(
            self,
            "diabetes",
            algorithm=Algorithm.from_directory("container"),
            dataset=Dataset(),
            evaluation=Evaluation.for_regression(max_value=MAX_ERROR),
            dev=Endpoint(smoke_test=smoke_test),
            production=Endpoint.for_production(smoke_test=smoke_test),
        )


app = App()
Diabetes(app, "diabetes")
app.synth()
