"""One role per service and purpose."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..provider import iam_role, iam_role_policy
from .environment import RequiredRole
from .policy import document, trust

if TYPE_CHECKING:
    from collections.abc import Sequence

    from constructs import Construct

    from .._cdk import TerraformResource
    from .environment import Environment
    from .policy import Statement

# Purposes of roles whose service sends aws:SourceAccount when it assumes the role, according to its documentation:
# SageMaker's training, processing, batch transform and inference, and CodeBuild. With the condition, no other service
# could assume its role.
# https://docs.aws.amazon.com/sagemaker/latest/dg/security-confused-deputy-prevention.html
# https://docs.aws.amazon.com/codebuild/latest/userguide/setting-up-service-role.html
_SENDS_SOURCE_ACCOUNT = {"training", "evaluation", "batch", "model-dev", "model-production", "build"}


class ServiceRole:
    """A role that one AWS service assumes, with one inline policy; or an existing role that is passed in, unchanged.

    Attributes:
        role: The IAM role, or None when an existing role is passed in.
        arn: Its ARN.
    """

    def __init__(self, scope: Construct, id_: str, env: Environment, service: str, purpose: str) -> None:
        """Make the role without permissions.

        Args:
            scope: Construct it belongs to.
            id_: Construct id.
            env: Where it is deployed.
            service: First label of the service principal, such as ``lambda``.
            purpose: Last part of the name, different for each role of a pipeline; at most 24 characters.
        """
        account = env.account_id if purpose in _SENDS_SOURCE_ACCOUNT else None
        self._scope, self._id, self._env, self._purpose = scope, id_, env, purpose
        self._service = f"{service}.amazonaws.com"
        self.role: iam_role.IamRole | None = None
        if purpose in env.roles:
            self.arn: str = env.roles[purpose]
            return
        self.role = iam_role.IamRole(
            scope,
            id_,
            # IAM names are global in an account: the region makes the names of two regions differ.
            name=f"{env.name}-{purpose}-{env.region}",
            path=env.role_path,
            permissions_boundary=env.permissions_boundary_arn,
            assume_role_policy=trust(self._service, source_account=account),
        )
        self.arn = self.role.arn
        self._role_id: str = self.role.id

    def grant(self, statements: Sequence[Statement]) -> list[iam_role_policy.IamRolePolicy]:
        """Attach the role's only inline policy; return the resources that users of the role must depend on."""
        policy = document(statements)
        self._env.required_roles[self._purpose] = RequiredRole(self._service, policy)
        if self.role is None:
            return []
        return [
            iam_role_policy.IamRolePolicy(
                self._scope, f"{self._id}_policy", name="permissions", role=self._role_id, policy=policy
            )
        ]

    def used_by(self, resource: TerraformResource) -> None:
        """Note that a resource uses the role as soon as it is created, see ``RequiredRole.wait_for``.

        Only for an existing role: the owner of the role makes the resource wait for the role's policy.
        """
        if self.role is None:
            self._env.required_roles[self._purpose].users.append(resource)
