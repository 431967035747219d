"""Permissions that a pipeline grants to existing roles."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .keys import use_key
from .policy import allow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .environment import Environment
    from .policy import Statement


def invoke_endpoint(env: Environment, endpoint: str) -> list[Statement]:
    """Allow invoking one endpoint."""
    return [allow("sagemaker:InvokeEndpoint", env.arn("sagemaker", f"endpoint/{endpoint}"))]


def upload_datasets(env: Environment, folders: Sequence[str]) -> list[Statement]:
    """Allow uploading data sets, and the objects that manifests name."""
    stores = env.stores
    arn = stores.data_bucket_arn
    key = stores.use_data_key(write=True)
    if stores.data_folders is None:
        key = [use_key(stores)]
    return [allow("s3:PutObject", [f"{arn}/{folder}*" for folder in folders]), *key]


def answer_approval(env: Environment, stage: str, action: str) -> list[Statement]:
    """Allow reading the pipeline's state, and approving or rejecting exactly its approval action."""
    arn = env.arn("codepipeline", env.name)
    return [
        allow(["codepipeline:GetPipelineState", "codepipeline:GetPipelineExecution"], arn),
        allow("codepipeline:PutApprovalResult", f"{arn}/{stage}/{action}"),
    ]
