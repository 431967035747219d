"""A pipeline whose algorithm is on GitHub: each push builds an image, and each new image starts a training."""

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
            # This creates a connection in the state PENDING. The stack's output says how a person completes it.
            algorithm=Algorithm.from_git("GitHub", "team/churn-model", "main", retrain_on_new_image=True),
            dataset=Dataset(),
        )
        # endregion


app = App()
Churn(app, "churn")
app.synth()
