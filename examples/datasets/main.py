"""A pipeline that reads an existing bucket of the company, with a data contract for the uploads."""

from pathlib import Path

from mlops_constructs import (
    Algorithm,
    Column,
    DataContract,
    Dataset,
    EndpointLimits,
    MLOpsPipeline,
    Requests,
    TrainingLimits,
)
from mlops_constructs.provider import AwsProvider

from cdktf import App, TerraformStack

CONTAINER = Path(__file__).parents[2] / "container"

# region: contract
SPECIES = ["setosa", "versicolor", "virginica"]
LENGTHS = ["sepal_length", "sepal_width", "petal_length", "petal_width"]
CONTRACT = DataContract(
    columns=[
        Column(name="species", allowed_values=SPECIES),
        *(Column(name=name, type="number", min_value=0, max_value=30) for name in LENGTHS),
    ],
    min_rows=60,
    min_class_share=0.1,
)
# endregion

# region: requests
REQUESTS = Requests(
    training=TrainingLimits(instance_types=["ml.m4.xlarge"], max_runtime_in_seconds=82_800),
    dev=EndpointLimits(instance_types=["ml.t2.large"], min_sampling_percentage=0),
    production=EndpointLimits(max_instance_count=10, autoscaling=True, min_sampling_percentage=20),
)
# endregion


class Lake(TerraformStack):
    """One stack, one pipeline, an existing bucket."""

    def __init__(self, scope: App, id: str) -> None:
        super().__init__(scope, id)
        AwsProvider(self, "aws", region="eu-west-1")
        # region: from_bucket
        dataset = Dataset.from_bucket(
            "company-data-lake",
            prefix="iris/sets/",
            objects_prefix="iris/raw/",
            contract=CONTRACT,
            requests=REQUESTS,
            duplicates="skip",
            schedule_expression="cron(0 6 ? * MON *)",
        )
        # endregion
        MLOpsPipeline(self, "iris", algorithm=Algorithm.from_directory(CONTAINER), dataset=dataset, notebook=None)


app = App()
Lake(app, "lake")
app.synth()
