"""Other values of options for which none can be derived from the type, and of those that change together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from configuration import FULL

from mlops_constructs import (
    ABMetric,
    Algorithm,
    Autoscaling,
    CategoricalParameter,
    Column,
    Endpoint,
    Notebook,
    OfficeHours,
    Quality,
    Retraining,
    Rollout,
    Spot,
    StickyUsers,
    Threshold,
    Training,
)
from option_changes import bases

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

Arguments = dict[str, Any]
_TYPE = "ml.m5.2xlarge"

# Option, or the name of the field wherever it is, to other values.
VALUES: Mapping[str, Sequence[Any]] = {
    "dataset.prefix": ("sets/",),
    "suffix": (".zip", "trainingjob.zip"),
    "objects_prefix": ("objects/",),
    "input_buckets": (["other-data", "more-data"], []),
    "max_inspected_megabytes": (100,),
    "schedule_expression": ("rate(2 days)",),
    "dataset.bucket_name": ("other-data",),
    "dataset.kms_key_arn": (bases.OTHER_KEY,),
    "columns": ([Column(name="kind", allowed_values=["a", 1]), Column(name="age", type="number")],),
    "dataset.contract.columns.name": ("years",),
    "dataset.contract.label": ("age",),
    "dataset.requests.training.environment": (True,),
    "max_instance_count": (3,),
    "min_instance_count": (1, 3),
    "min_sampling_percentage": (1,),
    "looks_every_minutes": (30, 60),
    "dataset.contract": (FULL["dataset"].contract,),
    "dataset.requests": (FULL["dataset"].requests,),
    "min_class_share": (0.2,),
    "allowed_values": ([1, 2],),
    "instance_type": (_TYPE,),
    "instance_types": ((_TYPE,),),
    "fallback_instance_types": ([_TYPE],),
    "max_volume_size_in_gb": (100,),
    "volume_size_in_gb": (100, 10),
    "max_runtime_in_seconds": (4000,),
    "training.spot": (Spot(max_wait_time_in_seconds=7200),),
    "training.checkpoints": (FULL["training"].checkpoints,),
    "local_path": ("/opt/ml/other",),
    "keep_alive_period_in_seconds": (60,),
    "hyperparameters": ({"num_round": 20, "eval_metric": "accuracy"},),
    "metric_definitions": ({**Training().metric_definitions, "other": "other=([0-9.]+)"},),
    "environment": ({"MODE": "other"},),
    "tuning": (FULL["tuning"],),
    "tuning.max_runtime_in_seconds": (70_000,),
    "hyperparameter_ranges": ({"kind": CategoricalParameter(["a", "b"])},),
    "tuning.hyperparameter_ranges.min_value": (2, 0.2),
    "objective_metric_name": ("train:accuracy",),
    "random_seed": (7,),
    "values": (["a", "c"],),
    "subnet_ids": (["subnet-2"],),
    "security_group_ids": (["sg-2"],),
    "subnet_id": ("subnet-2",),
    "network": (FULL["network"],),
    "evaluation.metric": ("train:accuracy",),
    "evaluation.min_value": (0.7,),
    "evaluation.max_value": (0.99,),
    "evaluation.beat_production_by": (0.1,),
    "confidence_level": (0.9,),
    "rules": ([], [Threshold(metric="loss", max_value=0.5)]),
    "evaluation.rules.metric": ("auc",),
    "evaluation.rules.min_value": (0.2,),
    "evaluation.rules.max_value": (0.5,),
    "evaluation.rules.beat_production_by": (0.1,),
    "evaluation.job": (FULL["evaluation"].job,),
    "channel": ("validation",),
    "entrypoint": (["python", "other.py"],),
    "image_uri": (bases.IMAGE.replace("team@", "other@"),),
    "initial_instance_count": (3, 1, 2),
    "model_data_download_timeout_in_seconds": (900,),
    "dev.autoscaling": (Autoscaling(min_capacity=1, max_capacity=2),),
    "production.autoscaling": (Autoscaling(min_capacity=2, max_capacity=8),),
    "dev.rollout": (Rollout.all_at_once(),),
    "production.rollout": (Rollout.linear(),),
    "dev.data_capture": (FULL["production"].data_capture,),
    "min_capacity": (1, 0),
    "max_capacity": (9,),
    "backlog_per_instance": (7.0,),
    "office_hours": (OfficeHours(min_capacity_outside=2, max_capacity_outside=2),),
    "days": ("MON-SAT",),
    "begin": ("08:00",),
    "end": ("20:00",),
    "time_zone": ("Europe/Berlin",),
    "max_capacity_outside": (4,),
    "min_capacity_outside": (3,),
    "hourly_price_usd": (0.2,),
    "step_percent": (10,),
    "smoke_test.min_accuracy": (0.6,),
    "max_rmse": (5.0,),
    "max_mae": (5.0,),
    "min_accuracy": (0.7,),
    "max_concurrent_invocations_per_instance": (4,),
    "success_topic": (bases.OTHER_TOPIC,),
    "error_topic": (bases.OTHER_TOPIC,),
    "memory_size_in_mb": (4096,),
    "provisioned_concurrency": (2,),
    "ab_test": (FULL["ab_test"],),
    "ab_test.metric": (ABMetric.success(),),
    "guardrails": ([], [ABMetric.latency(max_latency_ms=500)]),
    "sticky": (StickyUsers(),),
    "ab_test.metric.name": ("score",),
    "ab_test.guardrails.name": ("score",),
    "batch": (FULL["batch"],),
    "input_prefix": ("inputs/",),
    "output_prefix": ("outputs/",),
    "content_type": ("application/json",),
    "accept": ("text/csv",),
    "max_concurrent_transforms": (2,),
    "invocations_max_retries": (2,),
    "input_filter": ("$[1:]",),
    "output_filter": ("$[0]",),
    "monitoring": (replace(FULL["monitoring"], predictions=True),),
    "ignored_features": (["age"],),
    "weights": ({"prediction": 3.0},),
    "quality": (Quality(min_accuracy=0.7),),
    "monitoring.retraining": (Retraining(),),
    "max_client_error_percent": (10.0,),
    "max_server_error_percent": (10.0,),
    "max_latency_ms": (1500,),
    "approval_reminder_percent": (60,),
    "approval.emails": (["head@example.org"], ["lead@example.org", "head@example.org", "third@example.org"]),
    "approval.topic_arn": (bases.OTHER_TOPIC,),
    "max_training_usd": (100.0,),
    "max_monthly_usd": (900.0,),
    "budget_emails": (["head@example.org"], []),
    "hourly_prices_usd": ({"ml.m5.large": 0.2},),
    "notebook": (Notebook(),),
    "notebook.directory": (bases.SCRIPT,),
    "notebook.repository": ("https://github.com/team/notebooks.git",),
    "notebook.repository_secret_arn": (f"{bases.SECRET}-other",),
    "existing.kms_key_arn": (bases.OTHER_KEY,),
    "existing.artifact_bucket": ("other-artifacts",),
    "existing.dead_letter_queue_arn": (bases.OTHER_QUEUE,),
    "existing.roles": ({"training": bases.OTHER_ROLE}, {}),
    "name_prefix": ("other",),
    "tags": ({"team": "fraud"}, {}),
    "permissions_boundary_arn": (bases.OTHER_BOUNDARY,),
    "role_path": ("/ml/",),
    "log_retention_in_days": (30,),
    "branch": ("release",),
    "ecr_repository_name": ("team-images",),
    "base_image": ("public.ecr.aws/docker/library/python:3.12-slim",),
    "algorithm.codecommit_repository": ("other-model",),
    "algorithm.directory": (bases.SCRIPT.parents[1] / "evaluated" / "container",),
    "algorithm.git.name": ("team/other",),
    "algorithm.git.connection_arn": (bases.CONNECTION.replace("aaaa", "bbbb"),),
    "algorithm.git.provider_type": ("GitLab",),
    "algorithm.built_in.name": ("linear-learner",),
    "algorithm.built_in.version": ("1.5-1",),
    "algorithm.script.entry_point": ("inference.py",),
    "algorithm.script.source": (bases.OTHER_SCRIPT,),
    "algorithm.script.version": ("1.9-0", "1.4-2"),
    "algorithm.script.python": ("py3",),
    "algorithm.script.inference_entry_point": ("inference.py",),
    "algorithm.script.inference_version": ("1.9-0", "1.4-2"),
    "algorithm.script.inference_image_uri": (bases.IMAGE,),
}


Together = Iterator[tuple[str, str, Arguments]]


def _algorithms(base: Arguments) -> Together:
    """Another source of the algorithm; the option is the source that is given up."""
    algorithm = base["algorithm"]
    sources = ("directory", "codecommit_repository", "git", "image_uri", "built_in", "script")
    option = f"algorithm.{next(name for name in sources if getattr(algorithm, name) is not None)}"
    for text, other in (
        ("Algorithm.from_directory(...)", Algorithm.from_directory(bases.CONTAINER)),
        ("Algorithm.from_codecommit(...)", bases.CODECOMMIT["algorithm"]),
        ("Algorithm.from_connection(...)", bases.CONNECTED["algorithm"]),
        ("Algorithm.from_git(...)", bases.GIVEN["algorithm"]),
        ("Algorithm.from_image(...)", bases.IMAGED["algorithm"]),
        ("Algorithm.from_script(...)", bases.SCRIPTED["algorithm"]),
    ):
        if other != algorithm:
            plain = {} if other.script is None else {"training": Training(), "tuning": None, "evaluation": _NO_JOB}
            yield option, text, {**base, "algorithm": other, **plain}
    if algorithm.built_in is None:
        yield option, "Algorithm.builtin(...)", {**base, **{name: bases.BUILT_IN[name] for name in _OF_BUILT_IN}}


def _built_in(base: Arguments) -> Together:
    if base["algorithm"].built_in is not None:
        learner = {
            "algorithm": Algorithm.builtin("linear-learner", "1"),
            "training": Training(hyperparameters={"predictor_type": "regressor"}),
            "evaluation": replace(base["evaluation"], metric="validation:mse", min_value=None, max_value=9.0),
        }
        yield "algorithm.built_in.name", "'linear-learner'", {**base, **learner}


def _framework(base: Arguments) -> Together:
    script = base["algorithm"].script
    if script is not None:
        other = replace(script, framework="xgboost", version="1.7-1")
        yield "algorithm.script.framework", "'xgboost'", {**base, "algorithm": Algorithm(script=other)}


def _own_bucket(base: Arguments) -> Together:
    if base["dataset"].bucket_name is not None:
        own = replace(base["dataset"], bucket_name=None, kms_key_arn=None)
        yield "dataset.bucket_name", "None", {**base, "dataset": own}


def _topics(base: Arguments) -> Together:
    approval = base["approval"]
    if approval.topic_arn is None:
        existing = replace(approval, emails=(), topic_arn=bases.OTHER_TOPIC)
        yield "approval.topic_arn", "an ARN", {**base, "approval": existing}


def _jobs(base: Arguments) -> Together:
    evaluation = base["evaluation"]
    if evaluation.job is not None:
        yield "evaluation.job", "None", {**base, "evaluation": replace(evaluation, job=None, rules=[])}


def _notebooks(base: Arguments) -> Together:
    notebook = base["notebook"]
    if notebook is None:
        return
    if notebook.subnet_id is not None:
        outside = replace(notebook, subnet_id=None, security_group_ids=())
        yield "notebook.subnet_id", "None", {**base, "notebook": outside}
    private = replace(notebook, repository="https://github.com/team/notebooks.git", repository_secret_arn=bases.SECRET)
    yield "notebook.repository_secret_arn", "an ARN", {**base, "notebook": private}


def _tunings(base: Arguments) -> Together:
    tuning = base["tuning"]
    if tuning is not None:
        random = replace(tuning, strategy="Random", hyperband=None)
        yield "tuning.strategy", "'Random'", {**base, "tuning": random}
        yield "tuning.hyperband", "None", {**base, "tuning": random}
        early = replace(random, early_stopping_type="Auto")
        yield "tuning.early_stopping_type", "'Auto'", {**base, "tuning": early}


def _smoke_tests(base: Arguments) -> Together:
    for name in ("dev", "production"):
        for field in ("max_rmse", "max_mae"):
            test = replace(base[name].smoke_test, min_accuracy=None, **{field: 5.0})
            yield f"{name}.smoke_test.{field}", "5.0", {**base, name: replace(base[name], smoke_test=test)}


def _rules(base: Arguments) -> Together:
    rule = Threshold(metric="loss", beat_production_by=0.1, objective_type="Minimize")
    better = replace(base["evaluation"], rules=[rule])
    yield "evaluation.rules.beat_production_by", "0.1", {**base, "evaluation": better}


def _batches(base: Arguments) -> Together:
    batch = base["batch"]
    if batch is not None:
        whole = replace(batch, content_type="application/x-parquet", split_type="None", join_source="None")
        yield "batch.content_type", "'application/x-parquet'", {**base, "batch": whole}
        yield "batch.split_type", "'None'", {**base, "batch": whole}


def _modes(base: Arguments) -> Together:
    """The other modes of serving of an endpoint."""
    for name in ("dev", "production"):
        now = base[name]
        for option, text, other in (
            ("serverless_config", "Endpoint.serverless(...)", Endpoint.serverless()),
            ("async_inference_config", "Endpoint.asynchronous(...)", Endpoint.asynchronous()),
        ):
            if getattr(now, option) is not None:
                yield f"{name}.{option}", "None", {**base, name: bases.IMAGED[name]}
            elif now.mode != other.mode:
                yield f"{name}.{option}", text, {**base, name: other}


_NO_JOB = replace(FULL["evaluation"], job=None)
_OF_BUILT_IN = ("algorithm", "training", "evaluation", "tuning")
# Each gives option, its value as it is written, and all arguments.
TOGETHER: Sequence[Callable[[Arguments], Together]] = (
    *(
        _algorithms,
        _built_in,
        _framework,
        _own_bucket,
        _topics,
        _jobs,
        _notebooks,
        _tunings,
        _smoke_tests,
        _rules,
        _batches,
        _modes,
    ),
)
