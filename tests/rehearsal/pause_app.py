"""An app with a person who may pause its endpoints, and nothing else: `python pause_app.py CONTAINER`."""

from __future__ import annotations

import json
import sys

from mlops_constructs import (
    Algorithm,
    Autoscaling,
    Dataset,
    Endpoint,
    Evaluation,
    MLOpsPipeline,
    OfficeHours,
    Profile,
    Rollout,
    SmokeTest,
    Training,
)
from mlops_constructs.provider import AwsProvider, iam_role

from cdktf import App, TerraformStack  # isort: skip

# How fast a busy machine answers is not what is tested.
PATIENT = SmokeTest(min_accuracy=None, max_latency_ms=60_000)
# region: office_hours
scaling = Autoscaling(
    min_capacity=2,
    max_capacity=4,
    office_hours=OfficeHours(
        days="MON-FRI",
        begin="07:00",
        end="19:00",
        time_zone="Europe/Berlin",
        min_capacity_outside=2,
        max_capacity_outside=2,
    ),
)
# endregion

app = App()
stack = TerraformStack(app, "thrifty")
AwsProvider(stack, "aws", region="us-east-1")
pipeline = MLOpsPipeline(
    stack,
    "thrifty",
    algorithm=Algorithm.from_directory(sys.argv[1]),
    dataset=Dataset(),
    training=Training(metric_definitions={}),
    evaluation=Evaluation.no_gate(),
    dev=Endpoint(smoke_test=PATIENT),
    production=Endpoint(
        initial_instance_count=2,
        autoscaling=scaling,
        rollout=Rollout(wait_interval_in_seconds=1),
        smoke_test=PATIENT,
    ),
    **Profile.team(notebook=None, removal="destroy"),
)
trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "123456789012"}}
policy = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
role = iam_role.IamRole(stack, "operator", name="night-watch", assume_role_policy=policy)
# region: grant
pipeline.grant_pause("operator", role_name=role.name)
# endregion
app.synth()
