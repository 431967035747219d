"""An app that scores files in batches: `python batch_app.py CONTAINER`."""

from __future__ import annotations

import json
import sys

from mlops_constructs import (
    Algorithm,
    BatchTransform,
    Dataset,
    Endpoint,
    Evaluation,
    MLOpsPipeline,
    Profile,
    SmokeTest,
    Training,
)
from mlops_constructs.provider import AwsProvider, iam_role

from cdktf import App, TerraformStack  # isort: skip

# How fast a busy machine answers is not what is tested.
PATIENT = SmokeTest(min_accuracy=1.0, max_latency_ms=60_000)

app = App()
stack = TerraformStack(app, "batch")
AwsProvider(stack, "aws", region="us-east-1")
pipeline = MLOpsPipeline(
    stack,
    "batch",
    algorithm=Algorithm.from_directory(sys.argv[1]),
    dataset=Dataset(),
    training=Training(metric_definitions={}),
    evaluation=Evaluation.no_gate(),
    dev=Endpoint(smoke_test=PATIENT),
    production=Endpoint(smoke_test=PATIENT),
    # The first column is a number of the customer, which the model does not see.
    batch=BatchTransform(input_filter="$[1:]", join_source="Input", output_filter="$[0,-1]", invocations_max_retries=0),
    **Profile.team(notebook=None, removal="destroy"),
)
trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "123456789012"}}
policy = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
role = iam_role.IamRole(stack, "crm", name="crm-export", assume_role_policy=policy)
pipeline.grant_score("crm_scores", role.name)
app.synth()
