"""A pipeline whose algorithm takes no time."""

from pathlib import Path

from cdktf import App, TerraformStack

from mlops_constructs import Algorithm, Dataset, MLOpsPipeline, Training
from mlops_constructs.provider import AwsProvider


class Sizes(TerraformStack):
    """One stack, one pipeline."""

    def __init__(self, scope: App, id: str) -> None:
        super().__init__(scope, id)
        AwsProvider(self, "aws", region="us-east-1")
        MLOpsPipeline(
            self,
            "sizes",
            algorithm=Algorithm.from_directory(Path(__file__).parent / "container"),
            dataset=Dataset(max_megabytes=5_000),
            training=Training(volume_size_in_gb=50),
            notebook=None,
        )


app = App()
Sizes(app, "sizes")
app.synth()
