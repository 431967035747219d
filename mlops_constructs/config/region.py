"""The regions that a pipeline can be deployed to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import Problem
from ._rules import is_token

if TYPE_CHECKING:
    from collections.abc import Iterator


def region_problems(region: str) -> Iterator[Problem]:
    """Yield what is wrong with the provider's region; which services a region offers is known only to AWS.

    https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CloudFormation.html
    """
    if not is_token(region) and region.startswith("cn-"):
        yield Problem(
            "provider.region",
            "must not be in China (aws-cn): CodePipeline has no CloudFormation action there",
            region,
            "deploy to a region of aws or aws-us-gov",
        )
