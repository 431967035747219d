"""The action providers that the local AWS does, by (category, owner, provider)."""

from __future__ import annotations

from collections.abc import Callable

from mlops_constructs.local_aws.codepipeline.actions import (
    approval,
    cloudformation,
    codebuild,
    codecommit,
    connection,
    lambda_,
    s3,
)
from mlops_constructs.local_aws.codepipeline.context import ActionContext

Provider = Callable[[ActionContext], dict[str, str]]
"""Does an action and returns its output variables; raises `ActionFailedError`."""

PROVIDERS: dict[tuple[str, str, str], Provider] = {
    ("Source", "AWS", "S3"): s3.run,
    ("Source", "AWS", "CodeCommit"): codecommit.run,
    ("Source", "AWS", "CodeStarSourceConnection"): connection.run,
    ("Build", "AWS", "CodeBuild"): codebuild.run,
    ("Test", "AWS", "CodeBuild"): codebuild.run,
    ("Invoke", "AWS", "Lambda"): lambda_.run,
    ("Approval", "AWS", "Manual"): approval.run,
    ("Deploy", "AWS", "CloudFormation"): cloudformation.run,
}
