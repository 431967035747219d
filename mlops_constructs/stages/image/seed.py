"""The first content of a new CodeCommit repository."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ..._aws.function import Function
from ..._aws.policy import allow
from ..._aws.upload import upload
from ..._cdk import AssetType, TerraformAsset
from ..._payload import archive, folder_files
from ...provider import lambda_invocation

if TYPE_CHECKING:
    from pathlib import Path

    from constructs import Construct

    from ..._aws.environment import Environment
    from ..._cdk import TerraformResource


def seed(
    scope: Construct, *, directory: Path, repository: TerraformResource, branch: str, env: Environment
) -> lambda_invocation.LambdaInvocation:
    """Commit the folder to the new repository, once; a repository that has commits is not changed.

    Unless the stack's data is deleted with it, the resource refuses that a repository is deleted that people have
    committed to: CodeCommit itself would delete it at once.
    """
    stores = env.stores
    key = stores.own("seed", "container.zip")
    bundle = archive("container", dict(folder_files(directory)))
    asset = TerraformAsset(scope, "source", path=str(bundle.path), type=AssetType.FILE, asset_hash=bundle.sha256)
    source = upload(
        scope,
        "seed",
        stores=stores,
        key=key,
        source=asset.path,
        source_hash=bundle.sha256,
    )
    function = Function(
        scope,
        "seed_repository",
        folder="seed_repository",
        env=env,
        settings={"REPOSITORY": env.name, "BRANCH": branch, "SOURCE_BUCKET": stores.artifact_bucket},
        permissions=[
            allow(
                [
                    *("codecommit:CreateCommit", "codecommit:GetBranch", "codecommit:GetCommit"),
                    "codecommit:ListBranches",
                ],
                env.arn("codecommit", env.name),
            ),
            allow("s3:GetObject", f"{stores.artifact_bucket_arn}/{key}"),
        ],
        timeout_seconds=300,
    )
    return lambda_invocation.LambdaInvocation(
        scope,
        "seeding",
        function_name=function.name,
        input=json.dumps({"key": key, "removal": "retain" if env.retain else "destroy"}),
        # From here on the repository is the source of truth: a person pushes later changes of the folder.
        lifecycle_scope="CRUD",
        depends_on=[source, repository, function.function],
    )
