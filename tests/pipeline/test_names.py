"""Every name fits the service that it is for, whatever id it is made from, and no two pipelines share one."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import botocore.session
import cdktf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from synthesis import CONTAINER, document_of, synth

from mlops_constructs import (
    Algorithm,
    ConfigError,
    Dataset,
    Evaluation,
    EvaluationJob,
    IntegerParameter,
    MLOpsPipeline,
    Training,
    Tuning,
)
from mlops_constructs._aws.actions import PipelineStage
from mlops_constructs._aws.naming import artifact_folder, physical_name, tuning_prefix
from mlops_constructs._aws.pipeline import Pipeline
from mlops_constructs.provider import AwsProvider

if TYPE_CHECKING:
    from collections.abc import Iterator

    from synthesis import Synthesized

SESSION = botocore.session.Session()
ACCOUNT = "123456789012"
REGIONS = [one for kind in ("aws", "aws-us-gov") for one in SESSION.get_available_regions("sagemaker", kind)]
LONGEST_REGION = max(REGIONS, key=len)


class Limit(NamedTuple):
    """What a service takes as a name."""

    pattern: str
    longest: int
    shortest: int = 1


def of_service(service: str, operation: str, *path: str) -> Limit:
    """Read the limit from the service model."""
    shape = SESSION.get_service_model(service).operation_model(operation).input_shape
    for member in path:
        shape = shape.members[member]
    metadata = shape.metadata
    return Limit(metadata.get("pattern", r"[\x21-\x7e]+"), metadata["max"], metadata["min"])


# Resource type and argument to the limit of its name.
# Those without a pattern in the model: https://docs.aws.amazon.com/sns/latest/api/API_CreateTopic.html,
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutDashboard.html,
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html,
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html,
# https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html,
# and Lambda's name, whose pattern and length are those of an ARN:
# https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html
LIMITS = {
    "aws_cloudwatch_dashboard.dashboard_name": Limit(r"[A-Za-z0-9_-]+", 255),
    "aws_cloudwatch_event_rule.name": of_service("events", "PutRule", "Name"),
    "aws_cloudwatch_metric_alarm.alarm_name": of_service("cloudwatch", "PutMetricAlarm", "AlarmName"),
    "aws_cloudwatch_log_group.name": of_service("logs", "CreateLogGroup", "logGroupName"),
    "aws_codebuild_project.name": of_service("codebuild", "CreateProject", "name"),
    "aws_codecommit_repository.repository_name": of_service("codecommit", "CreateRepository", "repositoryName"),
    "aws_codepipeline.name": of_service("codepipeline", "CreatePipeline", "pipeline", "name"),
    "aws_codestarconnections_connection.name": of_service("codestar-connections", "CreateConnection", "ConnectionName"),
    "aws_ecr_repository.name": of_service("ecr", "CreateRepository", "repositoryName"),
    "aws_iam_role.name": of_service("iam", "CreateRole", "RoleName"),
    "aws_iam_role_policy.name": of_service("iam", "PutRolePolicy", "PolicyName"),
    "aws_kms_alias.name": of_service("kms", "CreateAlias", "AliasName"),
    "aws_lambda_function.function_name": Limit(r"[a-zA-Z0-9-_]+", 64),
    "aws_s3_bucket.bucket": Limit(r"[a-z0-9][a-z0-9-]*[a-z0-9]", 63, 3),
    "aws_sagemaker_model_package_group.model_package_group_name": of_service(
        "sagemaker", "CreateModelPackageGroup", "ModelPackageGroupName"
    ),
    "aws_sagemaker_notebook_instance.name": of_service("sagemaker", "CreateNotebookInstance", "NotebookInstanceName"),
    "aws_sagemaker_notebook_instance_lifecycle_configuration.name": of_service(
        "sagemaker", "CreateNotebookInstanceLifecycleConfig", "NotebookInstanceLifecycleConfigName"
    ),
    "aws_sns_topic.name": Limit(r"[A-Za-z0-9_-]+", 256),
    "aws_sqs_queue.name": Limit(r"[A-Za-z0-9_-]+", 80),
    "aws_ssm_parameter.name": of_service("ssm", "PutParameter", "Name"),
    "endpoint": of_service("sagemaker", "CreateEndpoint", "EndpointName"),
    "processing job": of_service("sagemaker", "CreateProcessingJob", "ProcessingJobName"),
    "stack": Limit(r"[a-zA-Z][-a-zA-Z0-9]*", 128),
    "training job": of_service("sagemaker", "CreateTrainingJob", "TrainingJobName"),
    "tuning job": of_service("sagemaker", "CreateHyperParameterTuningJob", "HyperParameterTuningJobName"),
}
# They name something that is made elsewhere.
GIVEN = (
    "aws_cloudwatch_metric_alarm.metric_name",
    "aws_lambda_invocation.function_name",
    "aws_lambda_permission.function_name",
)
# Unique in an account or in the world, not in a region.
GLOBAL = ("aws_cloudwatch_dashboard.dashboard_name", "aws_iam_role.name", "aws_s3_bucket.bucket")
PLAIN = {"algorithm": Algorithm.from_directory(CONTAINER), "dataset": Dataset()}
FULL: dict[str, Any] = {
    "algorithm": Algorithm.from_git("GitHub", "team/algorithm", retrain_on_new_image=True),
    "dataset": Dataset(schedule_expression="rate(1 day)"),
    "training": Training(max_runtime_in_seconds=20 * 86_400, metric_definitions={"f1": "f1=(.*)"}),
    "tuning": Tuning(hyperparameter_ranges={"depth": IntegerParameter(1, 9)}, objective_metric_name="f1"),
    "evaluation": Evaluation(metric="f1", job=EvaluationJob()),
}
ids = st.one_of(st.text(max_size=200), st.text("aZ9-_/ß", min_size=150, max_size=200))


def named(document: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Give resource type, argument and value of everything that is called a name and is no reference."""
    for kind, resources in document["resource"].items():
        for resource in resources.values():
            for key, value in resource.items():
                if (key == "bucket" or key.split("_")[-1] == "name") and "${aws_" not in value:
                    yield kind, key, value


@cache
def forms() -> frozenset[tuple[str, str]]:
    """Give every name of both pipelines, with ``{name}``, ``{region}`` and ``{account}`` in the place of theirs."""
    found = {form for stack in (synth(**PLAIN), synth(**FULL)) for form in forms_of(stack)}
    # As lambdas/train_model and lambdas/run_evaluation name their jobs.
    found |= {("training job", "{name}-0123456789ab-r9"), ("tuning job", "{tuning}-0123456789ab-r9")}
    return frozenset(found | {("processing job", "{name}-0123456789ab-r9")})


def forms_of(stack: Synthesized) -> Iterator[tuple[str, str]]:
    """Give the names of one pipeline likewise."""
    for kind, key, value in named(stack.document):
        if f"{kind}.{key}" not in GIVEN:
            form = re.sub(r"\$\{data\.aws_region\.[^}]+\}", "{region}", value.replace(stack.pipeline.name, "{name}"))
            yield f"{kind}.{key}", re.sub(r"\$\{data\.aws_caller_identity\.[^}]+\}", "{account}", form)
    for stage in ("DeployDev", "DeployProduction"):
        for action in stack.stages()[stage]:
            if action["provider"] == "CloudFormation":
                yield "stack", action["configuration"]["StackName"].replace(stack.pipeline.name, "{name}")
    for endpoint in (stack.pipeline.dev_endpoint, stack.pipeline.production_endpoint):
        yield "endpoint", endpoint.replace(stack.pipeline.name, "{name}")


def made(name: str, region: str = LONGEST_REGION) -> set[tuple[str, str]]:
    """Give every name of the pipelines of that physical name, in a region."""
    values = {"name": name, "tuning": tuning_prefix(name), "region": region, "account": ACCOUNT}
    return {(kind, form.format(**values)) for kind, form in forms()}


def unfit(names: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """Give the names that their service would refuse."""
    return {
        (kind, name)
        for kind, name in names
        if re.fullmatch(LIMITS[kind].pattern, name) is None
        or not LIMITS[kind].shortest <= len(name) <= LIMITS[kind].longest
    }


def test_every_name_that_is_chosen_here_is_judged() -> None:
    assert {kind for kind, _ in forms()} == set(LIMITS)
    assert len(forms()) > 60


@pytest.mark.parametrize(
    "name",
    [
        ("aws_iam_role.name", "n" * 65),
        ("aws_sns_topic.name", "a.b"),
        ("aws_codebuild_project.name", "a"),
        ("endpoint", "trailing-"),
        ("aws_s3_bucket.bucket", "Upper"),
    ],
)
def test_a_name_that_a_service_would_refuse_is_seen(name: tuple[str, str]) -> None:
    assert unfit({name}) == {name}


@given(prefix=ids, path=ids)
@settings(max_examples=200)
def test_53_any_id_gives_names_that_fit_every_service(prefix: str, path: str) -> None:
    assert unfit(made(physical_name(prefix, path))) == set()


@pytest.mark.parametrize("region", REGIONS)
def test_the_longest_prefix_fits_in_every_region(region: str) -> None:
    assert unfit(made(physical_name("a" * 12, "p"), region)) == set()


@given(prefix=ids, one=ids, other=ids)
def test_40_two_pipelines_share_no_name(prefix: str, one: str, other: str) -> None:
    first, second = (made(physical_name(prefix, path)) for path in (one, other))
    # A role has its policies to itself.
    shared = {name for name in first & second if name[0] != "aws_iam_role_policy.name"}
    assert (shared == set()) == (one != other)


# Near to where names are cut, and to what looks like the hash of another.
near = st.text("abcf019-", max_size=24) | st.from_regex(r"(aws|ssm|iris)-[0-9a-f]{6}-?", fullmatch=True)


@given(prefixes=st.tuples(near, near), paths=st.tuples(ids, ids))
@settings(max_examples=300)
def test_each_codepipeline_has_an_artifact_folder_to_itself(prefixes: tuple[str, str], paths: tuple[str, str]) -> None:
    first, second = (physical_name(prefix, path) for prefix, path in zip(prefixes, paths, strict=True))
    pipelines = {first, f"{first}-image", second, f"{second}-image"}
    assert len({artifact_folder(name) for name in pipelines}) == len(pipelines)
    # The folder of the ML pipeline holds the whole hash.
    assert artifact_folder(first) == first


@given(prefix=near, path=ids)
@settings(max_examples=300)
def test_no_name_begins_with_another_name_or_with_a_reserved_word(prefix: str, path: str) -> None:
    for name in (physical_name(prefix, path), tuning_prefix(physical_name(prefix, path))):
        assert not name.startswith(("aws", "ssm"))
        assert re.search(r"-[0-9a-f]{6}-", name) is None


def test_what_looks_like_a_name_of_ours_is_joined() -> None:
    assert physical_name("a-996e98-b", "p").rpartition("-")[0] == "a996e98-b"
    assert physical_name("a-996e9-b", "p").rpartition("-")[0] == "a-996e9-b"


def test_two_codepipelines_with_one_artifact_folder_are_refused() -> None:
    made = synth(**PLAIN).pipeline
    folder = made.name.ljust(20, "x")
    stages = [PipelineStage("Source", [])]
    rest = {"purpose": "pipeline", "env": made._env, "stages": stages, "permissions": []}
    Pipeline(made, "one", name=f"{folder}-one", **rest)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match=f"name: must differ from '{folder}-one' in its first 20 characters"):
        Pipeline(made, "two", name=f"{folder}-two", **rest)  # type: ignore[arg-type]


def test_two_regions_share_no_name_that_is_known_in_both() -> None:
    name = physical_name("iris", "iris/iris")
    one, other = (made(name, region) for region in ("us-east-1", "us-east-2"))
    shared = {kind for kind, _ in one & other}
    assert shared.isdisjoint(GLOBAL)
    assert {kind for kind, _ in one} - shared == set(GLOBAL)


def test_two_pipelines_in_one_stack_and_one_in_another_share_no_name() -> None:
    app = cdktf.Testing.app()
    names: list[tuple[str, str, str]] = []
    for stack_id, pipelines in (("s", ("one", "two")), ("t", ("one",))):
        stack = cdktf.TerraformStack(app, stack_id)
        AwsProvider(stack, "aws", region="us-east-1")
        for id_ in pipelines:
            MLOpsPipeline(stack, id_, **PLAIN)
        chosen = named(document_of(stack))
        names += [one for one in chosen if one[0] != "aws_iam_role_policy" and f"{one[0]}.{one[1]}" not in GIVEN]
    assert len(names) > 100
    assert sorted(set(names)) == sorted(names)
