"""An app with A/B tests whose outcomes count after seconds: `python ab_app.py CONTAINER`."""

from __future__ import annotations

import json
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
from mlops_constructs.provider import AwsProvider, iam_role

from cdktf import App, TerraformStack  # isort: skip

# The commands of the test take some seconds.
OUTCOMES_WITHIN_SECONDS = 20
# How fast a busy machine answers is not what is tested.
PATIENT = SmokeTest(min_accuracy=None, max_latency_ms=60_000)

app = App()
stack = TerraformStack(app, "ab")
AwsProvider(stack, "aws", region="us-east-1")
pipeline = MLOpsPipeline(
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
        guardrails=[ABMetric.server_errors()],
        minimum_sample=50,
        maturity_window_in_hours=OUTCOMES_WITHIN_SECONDS / 3600,
        guard=True,
    ),
    **Profile.team(notebook=None, removal="destroy"),
)
TRUST = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "123456789012"}}
# The roles that examples/ab_test names.
for name, grant in {
    "product-managers": pipeline.grant_operate_ab_test,
    "accounting": pipeline.grant_report_outcomes,
    "web-shop": pipeline.grant_assign_users,
}.items():
    trust = json.dumps({"Version": "2012-10-17", "Statement": [TRUST]})
    role = iam_role.IamRole(stack, name, name=name, assume_role_policy=trust)
    grant(name, role.name)
app.synth()
