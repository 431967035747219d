"""An app with a regression whose stack lies in a region of another partition: `python government_app.py CONTAINER`."""

from __future__ import annotations

import sys

from mlops_constructs import Algorithm, Dataset, Endpoint, Evaluation, MLOpsPipeline, Profile, SmokeTest
from mlops_constructs.provider import AwsProvider

from cdktf import App, TerraformStack  # isort: skip

# How fast a busy machine answers is not what is tested.
PATIENT = SmokeTest.for_regression(max_rmse=160, max_latency_ms=60_000)

app = App()
stack = TerraformStack(app, "government")
AwsProvider(stack, "aws", region="us-gov-west-1")
MLOpsPipeline(
    stack,
    "iris",
    algorithm=Algorithm.from_directory(sys.argv[1]),
    dataset=Dataset(),
    evaluation=Evaluation.for_regression(max_value=80),
    dev=Endpoint(smoke_test=PATIENT),
    production=Endpoint.for_production(smoke_test=PATIENT),
    **Profile.team(notebook=None, removal="destroy"),
)
app.synth()
