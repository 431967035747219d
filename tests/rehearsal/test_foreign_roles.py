"""Roles that a stack uses and does not make are stood in for."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from mlops_constructs.local_aws.local_aws import LocalAws
from mlops_constructs.rehearsal.foreign_roles import ForeignRoles

if TYPE_CHECKING:
    from pathlib import Path


def test_a_role_that_is_given_a_policy_and_not_made_is_there_without_permissions(tmp_path: Path) -> None:
    resources = {
        "aws_iam_role": {"own": {"name": "own"}},
        "aws_iam_role_policy": {
            "a": {"role": "web-shop"},
            "b": {"role": "own"},
            "c": {"role": "${aws_iam_role.own.id}"},
        },
    }
    (tmp_path / "cdk.tf.json").write_text(json.dumps({"resource": resources}))
    with LocalAws() as aws:
        iam, roles = aws.client("iam"), ForeignRoles(tmp_path, aws)
        assert roles.make() == ["web-shop"]
        assert iam.list_role_policies(RoleName="web-shop")["PolicyNames"] == []
        with pytest.raises(iam.exceptions.NoSuchEntityException):
            iam.get_role(RoleName="own")
        roles.delete()
        assert iam.list_roles()["Roles"] == []
