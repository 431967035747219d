"""The iris pipeline: a team writes no more than this."""

# Import this before cdktf, so that jsii runs on the Node.js that pip installed, not on the one on PATH.
from mlops_constructs import Algorithm, Dataset, MLOpsPipeline
from mlops_constructs.provider import AwsProvider

from cdktf import App, TerraformStack


# region: app
class Iris(TerraformStack):
    def __init__(self, scope: App, id: str) -> None:
        super().__init__(scope, id)
        AwsProvider(self, "aws", region="us-east-1")
        MLOpsPipeline(self, "iris", algorithm=Algorithm.from_directory("container"), dataset=Dataset())


app = App()
Iris(app, "iris")
app.synth()
# endregion
