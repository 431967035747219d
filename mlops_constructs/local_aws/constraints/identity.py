"""KMS keys and IAM roles."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from mlops_constructs.local_aws.constraints.rule import Rule

if TYPE_CHECKING:
    from mlops_constructs.local_aws.account import Account
    from mlops_constructs.local_aws.service import Params


def _alias(params: Params, _: Account) -> str | None:
    if params["AliasName"].lower().startswith("alias/aws/"):
        return f"{params['AliasName']} is reserved for AWS managed keys"
    return None


def _window(params: Params, _: Account) -> str | None:
    days = params.get("PendingWindowInDays", 30)
    return None if 7 <= days <= 30 else f"PendingWindowInDays must be between 7 and 30, got {days}"


def _principals(params: Params, _: Account) -> str | None:
    if "Policy" not in params:
        return None
    try:
        statements = json.loads(params["Policy"])["Statement"]
    except (ValueError, KeyError, TypeError):
        return "The policy is not a JSON policy document."
    listed = statements if isinstance(statements, list) else [statements]
    without = [one for one in listed if not {"Principal", "NotPrincipal"} & one.keys()]
    return "Each statement in the key policy must contain one or more principals." if without else None


def _trust(params: Params, _: Account) -> str | None:
    try:
        statements = json.loads(params["AssumeRolePolicyDocument"])["Statement"]
    except (ValueError, KeyError, TypeError):
        return "This policy contains invalid Json"
    listed = statements if isinstance(statements, list) else [statements]
    return "A trust policy needs a Principal" if any("Principal" not in one for one in listed) else None


def _other_case(params: Params, account: Account) -> str | None:
    wanted = params["RoleName"]
    pages = account.moto("iam").get_paginator("list_roles").paginate()
    taken = [role["RoleName"] for page in pages for role in page["Roles"] if role["RoleName"].lower() == wanted.lower()]
    return f"Role with name {taken[0]} already exists." if taken else None


_KEY_POLICIES = ("kms:CreateKey", "kms:PutKeyPolicy")

RULES = (
    Rule(
        ("kms:CreateAlias",),
        "NotAuthorizedException",
        "CreateAlias.AliasName: The alias name cannot begin with alias/aws/.",
        _alias,
    ),
    Rule(
        ("kms:ScheduleKeyDeletion",),
        "ValidationException",
        "PendingWindowInDays: it must be between 7 and 30, inclusive.",
        _window,
    ),
    Rule(
        _KEY_POLICIES,
        "MalformedPolicyDocumentException",
        "CreateKey.Policy: Each statement in the key policy must contain one or more principals.",
        _principals,
    ),
    Rule(
        ("iam:CreateRole",),
        "MalformedPolicyDocument",
        "AssumeRolePolicyDocument: you must provide a JSON policy.",
        _trust,
    ),
    Rule(
        ("iam:CreateRole",),
        "EntityAlreadyExists",
        'RoleName: names must be unique within the account, and are not distinguished by case ("MyResource").',
        _other_case,
    ),
)
