"""A pipeline that retrains itself: data gathers, production is watched, and drift starts an execution on new data."""

import sys
from pathlib import Path

from mlops_constructs import (
    Algorithm,
    Column,
    DataCapture,
    DataContract,
    Dataset,
    Endpoint,
    Evaluation,
    MLOpsPipeline,
    Monitoring,
    Retraining,
    SmokeTest,
)
from mlops_constructs.provider import AwsProvider

from cdktf import App, TerraformStack

CONTAINER = Path(__file__).parents[2] / "container"
# `python main.py rehearsal`: nobody waits for an hour there, and a laptop that is busy is no reason to stop.
REHEARSAL = "rehearsal" in sys.argv
LOOKS_EVERY_MINUTES = 1 if REHEARSAL else 60
SMOKE_TEST = SmokeTest(max_latency_ms=60_000 if REHEARSAL else 2_000)

# region: dataset
DATASET = Dataset(
    start_on_upload=False,  # Each week's parcels are uploaded; they wait until they are needed.
    contract=DataContract(
        columns=[
            Column(name="arrived", allowed_values=["late", "punctual"]),
            Column(name="distance_km", type="number", min_value=0),
            Column(name="weight_kg", type="number", min_value=0),
            Column(name="hour", type="number", min_value=0, max_value=24),
        ],
        min_rows=300,
    ),
)
# endregion

# region: monitoring
MONITORING = Monitoring(
    looks_every_minutes=LOOKS_EVERY_MINUTES,
    retraining=Retraining(
        on_drift=True,
        min_new_datasets=1,
        cooldown_in_hours=24.0,
        max_executions_per_month=4,
    ),
)
# endregion


class Parcels(TerraformStack):
    """One stack, one pipeline."""

    def __init__(self, scope: App, id: str) -> None:
        super().__init__(scope, id)
        AwsProvider(self, "aws", region="us-east-1")
        # region: pipeline
        MLOpsPipeline(
            self,
            "parcels",
            algorithm=Algorithm.from_directory(CONTAINER),
            dataset=DATASET,
            evaluation=Evaluation(metric="validation:accuracy", min_value=0.8),
            dev=Endpoint(smoke_test=SMOKE_TEST),
            production=Endpoint.for_production(
                data_capture=DataCapture(sampling_percentage=100), smoke_test=SMOKE_TEST
            ),
            monitoring=MONITORING,
        )
        # endregion


app = App()
Parcels(app, "parcels")
app.synth()
