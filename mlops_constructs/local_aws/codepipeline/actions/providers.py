"""The action providers that the local AWS supports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_constructs.local_aws.codepipeline.actions import approval, cloudformation, codebuild, lambda_, s3
from mlops_constructs.local_aws.codepipeline.actions.codecommit import CodeCommitSource
from mlops_constructs.local_aws.codepipeline.actions.connection import ConnectionSource

if TYPE_CHECKING:
    from mlops_constructs.local_aws.codecommit.service import CodeCommitService
    from mlops_constructs.local_aws.codepipeline.context import Providers
    from mlops_constructs.local_aws.connections.service import ConnectionsService


def action_providers(codecommit: CodeCommitService, connections: ConnectionsService) -> Providers:
    """All action providers, by (category, owner, provider)."""
    return {
        ("Source", "AWS", "S3"): s3.run,
        ("Source", "AWS", "CodeCommit"): CodeCommitSource(codecommit).run,
        ("Source", "AWS", "CodeStarSourceConnection"): ConnectionSource(connections).run,
        ("Build", "AWS", "CodeBuild"): codebuild.run,
        ("Test", "AWS", "CodeBuild"): codebuild.run,
        ("Invoke", "AWS", "Lambda"): lambda_.run,
        ("Approval", "AWS", "Manual"): approval.run,
        ("Deploy", "AWS", "CloudFormation"): cloudformation.run,
    }
