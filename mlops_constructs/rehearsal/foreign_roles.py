"""Roles that a stack uses but does not create: on AWS they exist; here roles without permissions replace them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from mlops_constructs.local_aws.local_aws import LocalAws


class ForeignRoles:
    """The roles that a synthesized stack attaches a policy to, but another stack or a person has created."""

    def __init__(self, stack: Path, aws: LocalAws) -> None:
        self._stack, self._aws = stack, aws
        self._names: list[str] = []

    def make(self) -> list[str]:
        """Create them without permissions, assumable within the account. Returns their names.

        A name that is a Terraform reference belongs to a role that the stack creates.
        """
        document = json.loads((self._stack / "cdk.tf.json").read_text(encoding="utf-8"))
        resources = document.get("resource", {})
        own = {one.get("name") for one in resources.get("aws_iam_role", {}).values()}
        policies = (*resources.get("aws_iam_role_policy", {}).values(), *_attachments(resources))
        named = {one["role"] for one in policies}
        self._names = sorted(name for name in named if "${" not in name and name not in own)
        aws = self._aws
        account = aws.account.arn("iam", "root", region="")
        statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": account}}
        trust = json.dumps({"Version": "2012-10-17", "Statement": statement})
        for name in self._names:
            aws.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=trust)
            aws.log(f"the stack does not create the role {name}: one without permissions replaces it")
        return self._names

    def delete(self) -> None:
        """Delete them; the stack must have deleted its policies before."""
        for name in self._names:
            self._aws.client("iam").delete_role(RoleName=name)


def _attachments(resources: dict[str, dict[str, dict[str, str]]]) -> tuple[dict[str, str], ...]:
    return tuple(resources.get("aws_iam_role_policy_attachment", {}).values())
