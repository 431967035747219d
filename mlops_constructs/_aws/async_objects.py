"""Where the requests and responses of an asynchronous endpoint are in the artifact bucket."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .environment import Environment
    from .stores import Stores

FOLDER = "async"
INPUT, OUTPUT, FAILURE = "input", "output", "failure"


def async_uri(stores: Stores, stage: str) -> str:
    """Return the place of the folders of an endpoint, ``dev`` or ``production``."""
    return f"s3://{stores.artifact_bucket}/{stores.own(FOLDER, stage)}"


def async_keys(stores: Stores, stage: str, *folders: str) -> list[str]:
    """Return the patterns of the keys in some of these folders."""
    return [stores.own(FOLDER, f"{stage}/{folder}/*") for folder in folders]


def async_objects(env: Environment, stage: str, *folders: str) -> list[str]:
    """Return the patterns of the ARNs of the objects in some of these folders."""
    return [f"{env.stores.artifact_bucket_arn}/{key}" for key in async_keys(env.stores, stage, *folders)]
