"""An app with A/B tests whose outcomes count at once: `python ab_app.py CONTAINER`."""

from __future__ import annotations

import sys

from mlops_constructs import (
    ABMetric,
    ABTest,
    Algorithm,
    Autoscaling,
    DataCapture,
    Dataset,
    Endpoint,
    Evaluation,
    MLOpsPipeline,
    Profile,
    Rollout,
    SmokeTest,
    Training,
)
from mlops_constructs.provider import AwsProvider

from cdktf import App, TerraformStack  # isort: skip

# How fast a busy machine answers is not what is tested.
PATIENT = SmokeTest(min_accuracy=None, max_latency_ms=60_000)

app = App()
stack = TerraformStack(app, "ab")
AwsProvider(stack, "aws", region="us-east-1")
MLOpsPipeline(
    stack,
    "ab",
    algorithm=Algorithm.from_directory(sys.argv[1]),
    dataset=Dataset(),
    training=Training(metric_definitions={}),
    evaluation=Evaluation.no_gate(),
    dev=Endpoint(smoke_test=PATIENT),
    production=Endpoint(
        initial_instance_count=2,
        autoscaling=Autoscaling(),
        rollout=Rollout(wait_interval_in_seconds=1),
        data_capture=DataCapture(sampling_percentage=100),
        smoke_test=PATIENT,
    ),
    ab_test=ABTest(
        challenger_weight=0.5,
        metric=ABMetric.accuracy(),
        guardrails=[ABMetric.success(name="known", tolerance=0.2)],
        minimum_sample=50,
        maturity_window_in_hours=0.0,
        guard=True,
    ),
    **Profile.team(notebook=None, removal="destroy"),
)
app.synth()
