"""The smallest app, with a container of a test: `python plain_app.py CONTAINER`."""

from __future__ import annotations

import sys
from dataclasses import replace

from mlops_constructs import Algorithm, Dataset, Endpoint, MLOpsPipeline, Profile, SmokeTest
from mlops_constructs.provider import AwsProvider

from cdktf import App, TerraformStack  # isort: skip

# How fast a busy machine answers is not what is tested.
PATIENT = SmokeTest(max_latency_ms=60_000)

app = App()
stack = TerraformStack(app, "plain")
AwsProvider(stack, "aws", region="us-east-1")
MLOpsPipeline(
    stack,
    "plain",
    algorithm=Algorithm.from_directory(sys.argv[1]),
    dataset=Dataset(),
    dev=Endpoint(smoke_test=PATIENT),
    production=replace(Endpoint.for_production(), smoke_test=PATIENT),
    **Profile.team(notebook=None, removal="destroy"),
)
app.synth()
