"""A pipeline with a script: AWS's scikit-learn image runs it, so there is no container and no image build."""

from pathlib import Path

from mlops_constructs import Algorithm, Dataset, MLOpsPipeline, Training
from mlops_constructs.provider import AwsProvider

from cdktf import App, TerraformStack


class Flowers(TerraformStack):
    """One stack, one pipeline."""

    def __init__(self, scope: App, id: str) -> None:
        super().__init__(scope, id)
        AwsProvider(self, "aws", region="us-east-1")
        # region: pipeline
        MLOpsPipeline(
            self,
            "flowers",
            algorithm=Algorithm.from_script(
                "train.py",
                source=Path(__file__).parent / "src",
                framework="sklearn",
                version="1.9-0",
                retrain_on_new_source=True,
            ),
            dataset=Dataset(),
            training=Training(hyperparameters={"n-neighbors": 5, "weights": "distance"}),
        )
        # endregion


app = App()
Flowers(app, "flowers")
app.synth()
