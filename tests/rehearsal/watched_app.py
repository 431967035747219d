"""An app whose production is watched each minute: `python watched_app.py CONTAINER`."""

from __future__ import annotations

import sys

from mlops_constructs import (
    Algorithm,
    DataCapture,
    Dataset,
    Endpoint,
    Evaluation,
    MLOpsPipeline,
    Monitoring,
    Quality,
    SmokeTest,
    Training,
)
from mlops_constructs.provider import AwsProvider

from cdktf import App, TerraformStack  # isort: skip

# How fast a busy machine answers is not what is tested.
PATIENT = SmokeTest(min_accuracy=None, max_latency_ms=60_000)

app = App()
stack = TerraformStack(app, "watched")
AwsProvider(stack, "aws", region="us-east-1")
MLOpsPipeline(
    stack,
    "watched",
    algorithm=Algorithm.from_directory(sys.argv[1]),
    dataset=Dataset(),
    training=Training(metric_definitions={}),
    evaluation=Evaluation.no_gate(),
    dev=Endpoint(smoke_test=PATIENT),
    production=Endpoint(data_capture=DataCapture(sampling_percentage=100), smoke_test=PATIENT),
    monitoring=Monitoring(looks_every_minutes=1, quality=Quality(min_accuracy=0.9)),
    notebook=None,
    removal="destroy",
)
app.synth()
