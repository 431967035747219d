"""The app of the soak, with its container: `python app.py CONTAINER`."""

from __future__ import annotations

import sys
from dataclasses import replace

from mlops_constructs import Algorithm, Dataset, Endpoint, Evaluation, EvaluationJob, MLOpsPipeline, Profile, SmokeTest
from mlops_constructs.provider import AwsProvider

from cdktf import App, TerraformStack  # isort: skip

# How fast a busy machine answers is not what is tested.
PATIENT = SmokeTest(max_latency_ms=60_000)
MINIMUM = 0.8

app = App()
stack = TerraformStack(app, "soak")
AwsProvider(stack, "aws", region="us-east-1")
MLOpsPipeline(
    stack,
    "soak",
    algorithm=Algorithm.from_directory(sys.argv[1]),
    dataset=Dataset(),
    evaluation=Evaluation(
        metric="accuracy",
        min_value=MINIMUM,
        beat_production_by=None,
        confidence_level=None,
        job=EvaluationJob(channel="test"),
    ),
    dev=Endpoint(smoke_test=PATIENT),
    production=replace(Endpoint.for_production(), smoke_test=PATIENT),
    **Profile.team(notebook=None, removal="destroy"),
)
app.synth()
