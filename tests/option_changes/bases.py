"""The deployed pipelines whose options are changed: together they have every part of every kind."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from configuration import FULL, GOOD

from mlops_constructs import (
    Algorithm,
    Approval,
    AsyncInferenceConfig,
    Autoscaling,
    Dataset,
    Endpoint,
    Existing,
    OfficeHours,
    SmokeTest,
    Training,
)

ROOT = Path(__file__).resolve().parents[2]
CONTAINER = ROOT / "container"
SCRIPT = ROOT / "examples" / "script" / "src"
OTHER_SCRIPT = Path(__file__).with_name("script")
ACCOUNT = "123456789012"
REGION = "us-east-1"
# What exists before the pipeline; `site.py` creates it.
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1b2c3d4e-0000-4000-8000-000000000001"
OTHER_KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1b2c3d4e-0000-4000-8000-000000000002"
QUEUE = f"arn:aws:sqs:{REGION}:{ACCOUNT}:team-undelivered"
OTHER_QUEUE = f"arn:aws:sqs:{REGION}:{ACCOUNT}:other-undelivered"
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:team-approvals"
OTHER_TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:other-approvals"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/team-training"
OTHER_ROLE = f"arn:aws:iam::{ACCOUNT}:role/other-training"
BOUNDARY = f"arn:aws:iam::{ACCOUNT}:policy/boundary"
OTHER_BOUNDARY = f"{BOUNDARY}-other"
CONNECTION = f"arn:aws:codestar-connections:{REGION}:{ACCOUNT}:connection/aaaa"
IMAGE = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/team@sha256:{'0' * 64}"
SECRET = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:git"
BUCKETS = ("team-data", "other-data", "more-data", "team-artifacts", "other-artifacts")

# Everything is the pipeline's own, and every part is there.
MADE: dict[str, Any] = {
    **FULL,
    "dataset": replace(FULL["dataset"], bucket_name=None, kms_key_arn=None),
    "dev": Endpoint(smoke_test=SmokeTest(min_accuracy=0.7)),
    "production": Endpoint.for_production(
        autoscaling=Autoscaling(office_hours=OfficeHours(min_capacity_outside=2, max_capacity_outside=3))
    ),
    "monitoring": replace(FULL["monitoring"], predictions=True, ignored_features=[]),
    "approval": Approval(emails=["lead@example.org", "head@example.org"]),
    "existing": Existing(),
    "permissions_boundary_arn": None,
    "name_prefix": "shop",
}
# What can exist exists already, and what can be left out is left out.
GIVEN: dict[str, Any] = {
    **GOOD,
    "algorithm": Algorithm.from_git("GitHub", "team/model"),
    "dataset": Dataset.from_bucket("team-data", kms_key_arn=KEY),
    "approval": Approval(topic_arn=TOPIC),
    "notebook": None,
    "existing": Existing(
        kms_key_arn=KEY, artifact_bucket="team-artifacts", dead_letter_queue_arn=QUEUE, roles={"training": ROLE}
    ),
    "permissions_boundary_arn": BOUNDARY,
}
# The other sources of an algorithm, and endpoints with the other modes of serving.
IMAGED: dict[str, Any] = {**GIVEN, "algorithm": Algorithm.from_image(IMAGE)}
CODECOMMIT: dict[str, Any] = {
    **GIVEN,
    "algorithm": Algorithm.from_codecommit("team-model"),
    "dev": FULL["dev"],
    "production": Endpoint.serverless(provisioned_concurrency=1),
}
CONNECTED: dict[str, Any] = {
    **GIVEN,
    "algorithm": Algorithm.from_connection(CONNECTION, "team/model"),
    "dev": Endpoint.for_production(
        autoscaling=Autoscaling(office_hours=OfficeHours(min_capacity_outside=2, max_capacity_outside=3))
    ),
    "production": Endpoint.asynchronous(
        async_inference_config=AsyncInferenceConfig(success_topic=TOPIC, error_topic=TOPIC)
    ),
}
SCRIPTED: dict[str, Any] = {
    **GIVEN,
    "algorithm": Algorithm.from_script("train.py", source=SCRIPT, framework="sklearn", version="1.2-1"),
    "dev": Endpoint.serverless(provisioned_concurrency=1),
}
BUILT_IN: dict[str, Any] = {
    **GIVEN,
    "algorithm": Algorithm.builtin("xgboost", "1.7-1"),
    "training": Training(hyperparameters={"num_round": 10, "eval_metric": "accuracy"}),
    "tuning": None,
}
# In the order in which they are deployed: each of the last ones changes the one before.
BASES: dict[str, dict[str, Any]] = {
    "made": MADE,
    "given": GIVEN,
    "imaged": IMAGED,
    "codecommit": CODECOMMIT,
    "connected": CONNECTED,
    "scripted": SCRIPTED,
    "built_in": BUILT_IN,
}
