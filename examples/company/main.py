"""Two pipelines in one account: one creates all its resources, the other uses the company's existing resources."""

from pathlib import Path

from mlops_constructs import Algorithm, Dataset, MLOpsPipeline, Profile
from mlops_constructs.provider import AwsProvider

from cdktf import App, TerraformStack

from central import Central

CONTAINER = Path(__file__).parents[2] / "container"


class Company(TerraformStack):
    """One stack, two pipelines."""

    def __init__(self, scope: App, id: str) -> None:
        super().__init__(scope, id)
        AwsProvider(self, "aws", region="eu-central-1")
        algorithm = Algorithm.from_directory(CONTAINER)
        # region: sandbox
        MLOpsPipeline(self, "trial", algorithm=algorithm, dataset=Dataset(), **Profile.sandbox(notebook=None))
        # endregion
        # region: handed_in
        central = Central(self, "central")
        fraud = MLOpsPipeline(
            self,
            "fraud",
            algorithm=algorithm,
            dataset=Dataset(),
            existing=central.existing(),
            tags={"owner": "risk", "cost-center": "4711"},
            removal="destroy",
        )
        central.allow(fraud)
        # endregion


app = App()
Company(app, "company")
app.synth()
