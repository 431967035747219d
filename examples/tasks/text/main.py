"""The stack with the pipeline tickets."""

# Import this before cdktf, so that jsii runs on the Node.js that pip installed, not on the one on PATH.
from mlops_constructs import Algorithm, Dataset, MLOpsPipeline
from mlops_constructs.provider import AwsProvider

from cdktf import App, TerraformStack


class Tickets(TerraformStack):
    def __init__(self, scope: App, id: str) -> None:
        super().__init__(scope, id)
        AwsProvider(self, "aws", region="us-east-1")
        MLOpsPipeline(self, "tickets", algorithm=Algorithm.from_directory("container"), dataset=Dataset())


app = App()
Tickets(app, "tickets")
app.synth()
