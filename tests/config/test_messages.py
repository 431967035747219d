"""What a person reads when limits are broken: field, rule, value and remedy, all of them together."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from configuration import STRING_TOKEN, found, problems
from synthesis import synth

from mlops_constructs import (
    Algorithm,
    Autoscaling,
    ConfigError,
    Dataset,
    Endpoint,
    Existing,
    Rollout,
    Training,
)
from mlops_constructs._aws.actions import Action, PipelineStage, invoke
from mlops_constructs._aws.pipeline import Pipeline
from mlops_constructs.config._tags import MAX_TAG_LENGTH
from mlops_constructs.config.place import region_problems
from mlops_constructs.stages.deployment.template import endpoint_template

if TYPE_CHECKING:
    from collections.abc import Mapping

MANY: Mapping[str, int] = {f"h{number}": number for number in range(101)}
SCALED = Endpoint(initial_instance_count=2, autoscaling=Autoscaling())
HYPERPARAMETERS = [
    (
        {"training": Training(hyperparameters=MANY)},
        "training.hyperparameters: must have at most 100 entries, got 101; leave some out",
    ),
    (
        {"training": Training(hyperparameters={"text": "x" * 2501})},
        "training.hyperparameters['text']: must have at most 2500 characters, got '2501 characters'; "
        "shorten it, or put it in the data set",
    ),
    (
        {"training": Training(hyperparameters={"layers": [64, 32]})},  # type: ignore[dict-item]
        "training.hyperparameters['layers']: must be a string, number or boolean, got [64, 32]; "
        "give one of these, a list or a mapping as JSON text",
    ),
    (
        {"training": Training(hyperparameters={"deep": None})},  # type: ignore[dict-item]
        "training.hyperparameters['deep']: must be a string, number or boolean, got None; "
        "give one of these, a list or a mapping as JSON text",
    ),
    (
        {"training": Training(hyperparameters={"": 1})},
        "training.hyperparameters['']: the name must have 1 to 255 characters, got 0; rename it",
    ),
    (
        {"training": Training(hyperparameters={"text": "a\nb"})},
        "training.hyperparameters['text']: must be one line, got 'a\\nb'; encode it as a JSON string",
    ),
]
SCALING = [
    (
        {"production": Endpoint(instance_type="ml.t2.large", initial_instance_count=2, autoscaling=Autoscaling())},
        "production.instance_type: burstable T2 instances do not support autoscaling, got 'ml.t2.large'; "
        "use 'ml.m5.large'",
    ),
    (
        {"dev": Endpoint(autoscaling=Autoscaling(min_capacity=0, max_capacity=1))},
        "dev.autoscaling.min_capacity: must be 1 to 1000, got 0; choose a number in that range",
    ),
    (
        {"production": Endpoint(initial_instance_count=4, autoscaling=Autoscaling(min_capacity=4, max_capacity=3))},
        "production.autoscaling.max_capacity: must be at least min_capacity (4), got 3; raise it",
    ),
    (
        {"production": Endpoint(autoscaling=Autoscaling(min_capacity=2, max_capacity=3))},
        "production.initial_instance_count: must be within autoscaling's 2 to 3, got 1; "
        "choose a count in that range, or widen autoscaling",
    ),
    (
        {"production": Endpoint(rollout=Rollout.canary())},
        "production.initial_instance_count: a canary rollout needs at least 2 instances, got 1; "
        "use 2, or Rollout.all_at_once()",
    ),
    (
        {"production": Endpoint(rollout=Rollout.linear())},
        "production.initial_instance_count: a linear rollout needs at least 2 instances, got 1; "
        "use 2, or Rollout.all_at_once()",
    ),
    (
        {"production": Endpoint(initial_instance_count=2, rollout=Rollout(strategy="rolling"))},  # type: ignore[arg-type]
        "production.rollout.strategy: must be 'canary', 'linear' or 'all_at_once', got 'rolling'; choose one",
    ),
]
SIZES = [
    (
        {"algorithm": Algorithm.from_git("GitHub", f"team/{'x' * 1000}")},
        "algorithm.git.name: must have at most 1000 characters, got '1005 characters'; "
        "use a repository with a shorter name",
    ),
    (
        {"tags": {f"k{number}": "x" * 250 for number in range(40)}},
        "tags: must have at most 8000 characters in total, as JSON, got '10430 characters'; "
        "shorten them, or remove some",
    ),
]
PREFIX = (
    "name_prefix: must be 1 to 12 lower-case letters, digits and single hyphens, starting with a letter but not with"
    " 'aws' or 'ssm', which Systems Manager reserves, got"
)
LEGACY = (
    "must have 3 to 63 lower-case letters, digits, '.' and '-', as S3 requires since 2018; other names of older buckets"
    " are not supported, got"
)
BUCKET = "must be the name of a bucket, not an ARN or URI, got"
NAMES = [
    ({"name_prefix": "a" * 13}, f"{PREFIX} '{'a' * 13}'; use for example 'churn'"),
    ({"name_prefix": "churn-"}, f"{PREFIX} 'churn-'; use for example 'churn'"),
    ({"name_prefix": "Churn"}, f"{PREFIX} 'Churn'; use for example 'churn'"),
    ({"name_prefix": "ch_rn"}, f"{PREFIX} 'ch_rn'; use for example 'churn'"),
    ({"name_prefix": ""}, f"{PREFIX} ''; use for example 'churn'"),
    (
        {"dataset": Dataset.from_bucket("Team-Data")},
        f"dataset.bucket_name: {LEGACY} 'Team-Data'; copy or replicate the objects to a bucket with such a name",
    ),
    (
        {"existing": Existing(artifact_bucket="s3://team-data")},
        f"existing.artifact_bucket: {BUCKET} 's3://team-data'; use for example 'team-data'",
    ),
    ({"name_prefix": "aws-iris"}, f"{PREFIX} 'aws-iris'; use for example 'churn'"),
    ({"name_prefix": "ssmetrics"}, f"{PREFIX} 'ssmetrics'; use for example 'churn'"),
]
PLACES = [
    (
        {"algorithm": Algorithm.from_image("111122223333.dkr.ecr.cn-north-1.amazonaws.com.cn/own:v1")},
        "algorithm.image_uri: must name an image in ECR by digest or tag; SageMaker pulls from nowhere else, got "
        "'111122223333.dkr.ecr.cn-north-1.amazonaws.com.cn/own:v1'; "
        "use '<account>.dkr.ecr.<region>.amazonaws.com/<repository>@sha256:<digest>'",
    ),
]
EVERY = [*HYPERPARAMETERS, *SCALING, *SIZES, *NAMES, *PLACES]


@pytest.mark.parametrize(("changes", "message"), EVERY)
def test_the_message_has_field_rule_value_and_remedy(changes: dict[str, Any], message: str) -> None:
    assert message in problems(**changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"training": Training(hyperparameters={f"h{number}": 1 for number in range(100)})},
        {"training": Training(hyperparameters={"text": "x" * 2000, "rate": 0.1, "warm": True})},
        {"production": Endpoint(instance_type="ml.t2.large")},
        {"production": Endpoint(initial_instance_count=3, autoscaling=Autoscaling(min_capacity=3, max_capacity=3))},
        {"production": Endpoint(initial_instance_count=2, rollout=Rollout.canary())},
        {"algorithm": Algorithm.from_git("GitHub", f"team/{'x' * 995}")},
        {"name_prefix": "a" * 12},
        {"dataset": Dataset.from_bucket("team-data")},
        {"existing": Existing(artifact_bucket="team-data")},
    ],
)
def test_the_limit_itself_is_allowed(changes: dict[str, Any]) -> None:
    assert problems(**changes) == []


def test_all_problems_are_reported_together() -> None:
    changes = {
        "algorithm": SIZES[0][0]["algorithm"],
        "dataset": NAMES[5][0]["dataset"],
        "training": HYPERPARAMETERS[0][0]["training"],
        "dev": SCALING[1][0]["dev"],
        "production": SCALING[4][0]["production"],
        "existing": NAMES[6][0]["existing"],
        "name_prefix": "Churn",
    }
    lines = problems(**changes)
    for expected in (SIZES[0], NAMES[5], HYPERPARAMETERS[0], SCALING[1], SCALING[4], NAMES[6], NAMES[2]):
        assert expected[1] in lines
    count = len(found(**changes))
    assert str(ConfigError("MLOpsPipeline", found(**changes))) == f"MLOpsPipeline has {count} problems:" + "".join(
        f"\n  {line}" for line in lines
    )


@pytest.mark.parametrize(
    ("action", "message"),
    [
        (
            lambda text: invoke("Ask", "function", parameters={"text": text}),
            "Ask.UserParameters: must have at most 1000 characters, got 1011; shorten the names in it",
        ),
        (
            lambda key: Action(
                name="Data", category="Source", action_provider="S3", configuration={"S3ObjectKey": f"{key}/"}
            ),
            "Data.S3ObjectKey: must have at most 1000 characters, got 1001; shorten the names in it",
        ),
    ],
)
def test_52_a_long_action_is_refused_with_actual_and_allowed_size(action: Any, message: str) -> None:
    assert [str(problem) for problem in action("x" * 1000).problems()] == [message]
    assert list(action("x" * 900).problems()) == []


@pytest.mark.parametrize(("letters", "fits"), [(770, True), (790, False)])
def test_what_terraform_fills_in_counts_as_an_arn(letters: int, fits: bool) -> None:
    action = invoke("Ask", "function", parameters={"role": STRING_TOKEN, "text": "x" * letters})
    assert (list(action.problems()) == []) == fits


def test_what_codepipeline_fills_in_counts_as_it_is_written() -> None:
    variables = {f"v{number}": "#{Training.ModelDataUrl}" for number in range(20)}
    assert list(invoke("Ask", "function", parameters=variables).problems()) == []


def test_all_long_actions_are_reported_together_before_the_pipeline_is_made() -> None:
    made = synth(notebook=None).pipeline
    long = [invoke(name, "function", parameters={"text": "x" * 1000}) for name in ("One", "Two")]
    with pytest.raises(ConfigError) as caught:
        Pipeline(
            made,
            "another",
            name="another",
            purpose="pipeline",
            env=made._env,
            stages=[PipelineStage("Ask", long), PipelineStage("Fits", [invoke("Three", "function", parameters={})])],
            permissions=[],
        )
    fields = ["Ask.One.UserParameters", "Ask.Two.UserParameters"]
    assert [problem.field for problem in caught.value.problems] == fields
    assert made.node.try_find_child("another") is None


def test_52_no_template_can_come_near_the_limit_of_cloudformation() -> None:
    # Tags are all of the user's that a template holds. Parameters come in a file: an action's ParameterOverrides,
    # of at most 1 KB, are not used.
    tags = {f"{number:02}": "v" * (MAX_TAG_LENGTH // 40 - 10) for number in range(40)}
    assert problems(tags=tags) == []
    assert MAX_TAG_LENGTH - len(json.dumps(tags)) < 40
    written = json.dumps(endpoint_template(Endpoint.for_production(), in_vpc=True, tags=tags), indent=2)
    # https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
    assert len(written.encode()) < 51_200 < 1_000_000


def test_china_is_refused_with_the_reason() -> None:
    assert [str(problem) for problem in region_problems("cn-north-1")] == [
        "provider.region: must not be in China (aws-cn): CodePipeline has no CloudFormation action there, "
        "got 'cn-north-1'; deploy to a region of aws or aws-us-gov"
    ]


@pytest.mark.parametrize("region", ["us-gov-west-1", "ca-central-1", "${TfToken[TOKEN.3]}"])
def test_other_regions_and_those_that_terraform_alone_knows_are_taken(region: str) -> None:
    assert list(region_problems(region)) == []
