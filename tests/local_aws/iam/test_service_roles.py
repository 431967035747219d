"""What services do by themselves with a role that is handed to them."""

from __future__ import annotations

import pytest
from local_aws.iam.reference import compare

from mlops_constructs.local_aws.iam.service_roles import ROLE_USES, role_use_checks

_REGIONAL = "arn:aws:{}:us-east-1:123456789012:{}"
_NAMES = {
    "artifact_arn": "arn:aws:s3:::iris-artifacts/iris/Source/1",
    "bucket_arn": "arn:aws:s3:::iris-data",
    "connection_arn": _REGIONAL.format("codestar-connections", "connection/1234"),
    "function_arn": _REGIONAL.format("lambda", "function:iris-train"),
    "log_group_arn": _REGIONAL.format("logs", "log-group:/aws/sagemaker/TrainingJobs"),
    "log_stream": "iris-1/algo-1",
    "object_arn": "arn:aws:s3:::iris-data/a.csv",
    "project_arn": _REGIONAL.format("codebuild", "project/iris"),
    "stack_arn": _REGIONAL.format("cloudformation", "stack/iris-production/*"),
    "topic_arn": _REGIONAL.format("sns", "iris-news"),
}


def _names(use: str) -> dict[str, str]:
    code = use == "CodePipeline CodeCommit"
    repository = _REGIONAL.format("codecommit", "iris") if code else _REGIONAL.format("ecr", "repository/iris")
    return {**_NAMES, "repository_arn": repository}


@pytest.mark.parametrize("use", ROLE_USES)
def test_a_use_asks_for_what_the_reference_knows(use):
    checks = role_use_checks(use, _names(use))

    assert checks
    for check in checks:
        compare(check)


@pytest.mark.parametrize("use", ROLE_USES)
def test_a_use_names_the_page_of_aws(use):
    assert ROLE_USES[use].source.startswith("https://docs.aws.amazon.com/")


def test_a_training_job_pulls_its_image_and_writes_its_own_log_stream():
    asked = [(check.action, check.resource) for check in role_use_checks("SageMaker training", _names(""))]

    assert ("ecr:BatchGetImage", _REGIONAL.format("ecr", "repository/iris")) in asked
    assert ("logs:PutLogEvents", f"{_NAMES['log_group_arn']}:log-stream:iris-1/algo-1") in asked


def test_an_unknown_use_and_a_missing_name_are_refused():
    with pytest.raises(KeyError, match="CodePipeline Jenkins"):
        role_use_checks("CodePipeline Jenkins", _NAMES)
    with pytest.raises(KeyError, match="topic_arn"):
        role_use_checks("CodePipeline Approval", {})
