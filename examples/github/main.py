"""A pipeline whose algorithm is at GitHub: each push builds an image, and each new image is trained."""

from mlops_constructs import Algorithm, Dataset, MLOpsPipeline
from mlops_constructs.provider import AwsProvider

from cdktf import App, TerraformStack


class Churn(TerraformStack):
    """One stack, one pipeline."""

    def __init__(self, scope: App, id: str) -> None:
        super().__init__(scope, id)
        AwsProvider(self, "aws", region="us-east-1")
        # region: pipeline
        MLOpsPipeline(
            self,
            "churn",
            # The connection is made here, PENDING: the stack's output says what a person does to complete it.
            algorithm=Algorithm.from_git("GitHub", "team/churn-model", "main", retrain_on_new_image=True),
            dataset=Dataset(),
        )
        # endregion


app = App()
Churn(app, "churn")
app.synth()
