"""A pipeline whose production is watched: which feature drifts, how much, since when, and what is right."""

from pathlib import Path

from mlops_constructs import (
    Algorithm,
    Approval,
    DataCapture,
    Dataset,
    Endpoint,
    MLOpsPipeline,
    Monitoring,
    Quality,
)
from mlops_constructs.provider import AwsProvider

from cdktf import App, TerraformStack

CONTAINER = Path(__file__).parents[2] / "container"

# region: monitoring
MONITORING = Monitoring(
    looks_every_minutes=60,
    level=0.05,  # Probability of ever raising a false alarm about any feature of a release.
    min_hours=24.0,  # The traffic of a night differs from that of a day.
    quality=Quality(min_accuracy=0.9, maturity_window_in_hours=24.0),
)
# endregion


class Iris(TerraformStack):
    """One stack, one pipeline."""

    def __init__(self, scope: App, id: str) -> None:
        super().__init__(scope, id)
        AwsProvider(self, "aws", region="us-east-1")
        # region: pipeline
        MLOpsPipeline(
            self,
            "iris",
            algorithm=Algorithm.from_directory(CONTAINER),
            dataset=Dataset(),
            production=Endpoint.for_production(data_capture=DataCapture(sampling_percentage=100)),
            monitoring=MONITORING,
            approval=Approval(emails=["ml-team@example.com"]),
        )
        # endregion


app = App()
Iris(app, "iris")
app.synth()
