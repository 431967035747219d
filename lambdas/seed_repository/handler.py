"""Lambda entry point that Terraform invokes once, before it creates the image pipeline."""

from __future__ import annotations

from typing import Any

from handler_kit.clients import client
from seed_repository.seed import seed
from seed_repository.settings import Params, Settings


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Seed the repository; Terraform shows an exception, and the apply fails."""
    return seed(Params.from_mapping(event), Settings.from_env(), client("codecommit"), client("s3"))
