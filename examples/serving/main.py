"""Two pipelines without idle instances: a serverless endpoint, and an asynchronous one that scales to zero."""

from pathlib import Path

from mlops_constructs import Algorithm, Autoscaling, Dataset, Endpoint, MLOpsPipeline, Rollout
from mlops_constructs.provider import AwsProvider

from cdktf import App, TerraformStack

CONTAINER = Path(__file__).parents[2] / "container"


class Serving(TerraformStack):
    """One stack, two pipelines."""

    def __init__(self, scope: App, id: str) -> None:
        super().__init__(scope, id)
        AwsProvider(self, "aws", region="us-east-1")
        algorithm = Algorithm.from_directory(CONTAINER)
        # region: serverless
        quiet = MLOpsPipeline(
            self,
            "quiet",
            algorithm=algorithm,
            dataset=Dataset(),
            dev=Endpoint.serverless(),
            production=Endpoint.serverless(memory_size_in_mb=2048, max_concurrency=20),
            notebook=None,
        )
        quiet.grant_invoke("web_shop", role_name="web-shop")
        # endregion
        # region: asynchronous
        bulk = MLOpsPipeline(
            self,
            "bulk",
            algorithm=algorithm,
            dataset=Dataset(),
            dev=Endpoint.asynchronous(),
            production=Endpoint.asynchronous(
                autoscaling=Autoscaling.on_backlog(min_capacity=0, max_capacity=4, backlog_per_instance=5.0),
                rollout=Rollout.all_at_once(max_latency_ms=60_000),
            ),
            notebook=None,
        )
        bulk.grant_invoke("night_run", role_name="night-run")
        # endregion


app = App()
Serving(app, "serving")
app.synth()
