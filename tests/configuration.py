"""A configuration without a problem, for the tests of the rules to break."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_constructs import (
    ABMetric,
    ABTest,
    Alarms,
    Algorithm,
    Approval,
    AsyncInferenceConfig,
    Autoscaling,
    BatchTransform,
    CategoricalParameter,
    Checkpoints,
    Column,
    ConfigError,
    ContinuousParameter,
    Cost,
    DataContract,
    Dataset,
    Endpoint,
    EndpointLimits,
    Evaluation,
    EvaluationJob,
    Existing,
    Hyperband,
    IntegerParameter,
    Monitoring,
    Network,
    Notebook,
    OfficeHours,
    Quality,
    Requests,
    Retraining,
    Retry,
    Spot,
    StickyUsers,
    Threshold,
    Training,
    TrainingLimits,
    Tuning,
)
from mlops_constructs.config import PipelineConfig
from mlops_constructs.config._kinds import fitted, without_followers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_constructs import Problem

Step = str | int
CONTAINER = Path(__file__).resolve().parents[1] / "container"
STRING_TOKEN = "${TfToken[TOKEN.3]}"
# As jsii hands over a TerraformVariable's number_value.
NUMBER_TOKEN = -8.109562212591379e298
GOOD: dict[str, Any] = {
    "algorithm": Algorithm.from_directory(CONTAINER),
    "dataset": Dataset(),
    "training": Training(),
    "tuning": None,
    "network": None,
    "evaluation": Evaluation(),
    "dev": Endpoint(),
    "production": Endpoint.for_production(),
    "ab_test": None,
    "batch": None,
    "monitoring": None,
    "alarms": Alarms(),
    "approval": Approval(),
    "cost": Cost(),
    "notebook": Notebook(),
    "existing": Existing(),
    "name_prefix": None,
    "tags": {},
    "permissions_boundary_arn": None,
    "role_path": "/",
    "log_retention_in_days": 365,
    "removal": "retain",
}

# Every kind of part, each with every part that it can hold, and with an entry in every list and mapping.
TOPIC = "arn:aws:sns:us-east-1:123456789012:answers"
KEY, ROLE = "arn:aws:kms:eu-west-1:123456789012:key/1", "arn:aws:iam::123456789012:role/training"
FULL: dict[str, Any] = {
    **GOOD,
    "dataset": Dataset(
        bucket_name="team-data",
        suffix=".zip",
        schedule_expression="rate(1 day)",
        kms_key_arn=KEY,
        input_buckets=["other-data"],
        contract=DataContract(
            columns=[
                Column(name="age", type="number", min_value=0, max_value=120),
                Column(name="kind", allowed_values=["a", 1]),
            ],
            label="kind",
        ),
        requests=Requests(
            training=TrainingLimits(max_instance_count=2, max_volume_size_in_gb=50, max_runtime_in_seconds=7200),
            production=EndpointLimits(min_instance_count=2, max_instance_count=9, min_sampling_percentage=5),
        ),
    ),
    "training": Training(
        spot=Spot(max_wait_time_in_seconds=7200),
        checkpoints=Checkpoints(),
        retry=Retry(fallback_instance_types=["ml.m5.large"]),
        hyperparameters={"epochs": 3},
        environment={"MODE": "fast"},
    ),
    "tuning": Tuning(
        objective_metric_name="validation:accuracy",
        strategy="Hyperband",
        hyperband=Hyperband(min_resource=1, max_resource=9),
        max_jobs=9,
        hyperparameter_ranges={
            "depth": IntegerParameter(1, 9),
            "rate": ContinuousParameter(0.1, 0.9),
            "kind": CategoricalParameter(["a", "b"]),
        },
    ),
    "network": Network(subnet_ids=["subnet-1"], security_group_ids=["sg-1"]),
    "evaluation": Evaluation(
        rules=[Threshold(metric="loss", min_value=0.1, max_value=0.4)],
        job=EvaluationJob(entrypoint=["python", "judge.py"], environment={"MODE": "strict"}),
    ),
    "dev": Endpoint.asynchronous(async_inference_config=AsyncInferenceConfig(success_topic=TOPIC)),
    "production": Endpoint.for_production(
        autoscaling=Autoscaling(office_hours=OfficeHours(min_capacity_outside=2, max_capacity_outside=2))
    ),
    "ab_test": ABTest(guardrails=[ABMetric.success()], sticky=StickyUsers()),
    "batch": BatchTransform(join_source="Input", environment={"MODE": "fast"}),
    "monitoring": Monitoring(
        ignored_features=["age"],
        # DEV is asynchronous here.
        predictions=False,
        weights={"prediction": 2.0},
        quality=Quality(min_accuracy=0.8),
        retraining=Retraining(),
    ),
    "alarms": Alarms(max_client_error_percent=20.0),
    "approval": Approval(emails=["lead@example.org"]),
    "cost": Cost(max_monthly_usd=500, budget_emails=["lead@example.org"], hourly_prices_usd={"ml.m5.large": 0.1}),
    "notebook": Notebook(subnet_id="subnet-1", security_group_ids=["sg-1"]),
    "existing": Existing(kms_key_arn=KEY, artifact_bucket="team-artifacts", roles={"training": ROLE}),
    "tags": {"team": "risk"},
    "permissions_boundary_arn": "arn:aws:iam::123456789012:policy/boundary",
}


def found(**changes: Any) -> list[Problem]:
    """Give the problems of the configuration with other parts."""
    try:
        PipelineConfig(**{**GOOD, **changes})
    except ConfigError as error:
        return list(error.problems)
    return []


def problems_of(part: Any) -> list[Problem]:
    """Give the problems of one part by itself."""
    wrong: list[Problem] = []
    fitting = fitted("", type(part), part, wrong)
    return [*wrong, *without_followers(fitting.problems(), wrong)]


def problems(**changes: Any) -> list[str]:
    """Give the lines of the message."""
    return [str(problem) for problem in found(**changes)]


def members(value: Any) -> Iterator[tuple[Step, Any]]:
    """Give what a part, a list or a mapping holds, by field, index or key."""
    if dataclasses.is_dataclass(value):
        yield from ((field.name, getattr(value, field.name)) for field in dataclasses.fields(value))
    elif isinstance(value, dict):
        yield from value.items()
    elif isinstance(value, (list, tuple)):
        yield from enumerate(value)


def replaced(value: Any, path: tuple[Step, ...], new: object) -> Any:
    """Give a copy with ``new`` at ``path``."""
    if not path:
        return new
    step, *rest = path
    inner = replaced(dict(members(value))[step], tuple(rest), new)
    if dataclasses.is_dataclass(value):
        return dataclasses.replace(value, **{str(step): inner})  # type: ignore[type-var]
    changed = {**dict(members(value)), step: inner}
    return changed if isinstance(value, dict) else list(changed.values())
