"""Lambda entry point of the Terraform resource that seeds the repository, and is deleted before it.

Terraform invokes the function when the resource is created, before the image pipeline is, and when it is updated or
deleted. It shows the message of an exception, and the apply or the destroy ends.
https://registry.terraform.io/providers/hashicorp/aws/5.100.0/docs/resources/lambda_invocation
"""

from __future__ import annotations

from typing import Any

from handler_kit.clients import client
from seed_repository.keep import refuse_if_used
from seed_repository.seed import seed
from seed_repository.settings import Params, Settings


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Seed the repository, or refuse that it is deleted; an update does nothing."""
    settings = Settings.from_env()
    params = Params.from_mapping({key: value for key, value in event.items() if key != "tf"})
    action = event.get("tf", {}).get("action")
    if action == "create":
        return seed(params, settings, client("codecommit"), client("s3"))
    if action == "delete" and params.removal == "retain":
        refuse_if_used(settings.repository, client("codecommit"))
    return {"seeded": False}
