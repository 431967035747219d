"""A pipeline with SageMaker's built-in XGBoost: it builds no image and needs only data."""

from mlops_constructs import Algorithm, Dataset, Evaluation, MLOpsPipeline, Training
from mlops_constructs.provider import AwsProvider

from cdktf import App, TerraformStack


class Scores(TerraformStack):
    """One stack, one pipeline."""

    def __init__(self, scope: App, id: str) -> None:
        super().__init__(scope, id)
        AwsProvider(self, "aws", region="us-east-1")
        # region: pipeline
        MLOpsPipeline(
            self,
            "scores",
            algorithm=Algorithm.builtin("xgboost", "1.7-1"),
            dataset=Dataset(),
            training=Training(
                hyperparameters={
                    "objective": "multi:softmax",
                    "num_class": 3,
                    "num_round": 100,
                    "eval_metric": "accuracy,mlogloss",
                }
            ),
            evaluation=Evaluation(metric="validation:accuracy", min_value=0.8),
        )
        # endregion


app = App()
Scores(app, "scores")
app.synth()
