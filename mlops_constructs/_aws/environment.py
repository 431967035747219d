"""What every stage needs to know: where it is deployed, which names and rules apply, and where data is stored."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .account import Account

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .._cdk import TerraformResource
    from ..config import Network, PipelineConfig
    from .stores import Stores


@dataclass(frozen=True, slots=True)
class RequiredRole:
    """What an existing role must have when it is passed in instead of created here.

    Attributes:
        service: Service that assumes it, such as ``lambda.amazonaws.com``.
        policy: JSON policy with the permissions that it needs.
        users: Resources that use the role as soon as they are created, such as a pipeline: CodePipeline starts it at
            once.
    """

    service: str
    policy: str
    users: list[TerraformResource] = field(default_factory=list, compare=False)

    def wait_for(self, policy: TerraformResource) -> None:
        """Make the resources that use the role depend on the resource that gives the role its policy.

        Args:
            policy: That resource, such as an ``aws_iam_role_policy`` with the text of ``policy``.
        """
        # Not its `fqn`: that is an expression in braces, which Terraform does not accept here.
        address = f"{policy.terraform_resource_type}.{policy.friendly_unique_id}"
        for user in self.users:
            user.depends_on = [*(user.depends_on or []), address]


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment(Account):
    """The account and region, with the names, rules and stores of one pipeline in it.

    Attributes:
        name: Physical name of the pipeline, a literal; the names of its resources start with it.
        stores: Its buckets, key and queue.
        log_retention_in_days: How long logs are kept, in days.
        retain: Whether data is kept when the stack is destroyed.
        tags: The user's tags for all resources.
        network: The VPC that SageMaker runs in, or None.
        permissions_boundary_arn: Boundary of every role, or None.
        role_path: IAM path of every role.
        roles: Purpose to the ARN of an existing role that is passed in.
        required_roles: Purpose to what the role must have; each ``ServiceRole`` adds itself.
        functions: Names of the Lambda functions; each ``Function`` adds itself.
        rules: Names of the EventBridge rules that deliver events; each adds itself.
        invoked_by_rules: Names of the functions that they invoke; ``invoke_on`` adds them.
        artifact_folders: Folder of the artifact bucket to the CodePipeline that writes to it; each ``Pipeline`` adds
            itself.
    """

    name: str
    stores: Stores
    retain: bool
    log_retention_in_days: int
    tags: Mapping[str, str]
    network: Network | None
    permissions_boundary_arn: str | None
    role_path: str
    roles: Mapping[str, str]
    required_roles: dict[str, RequiredRole] = field(default_factory=dict)
    functions: list[str] = field(default_factory=list)
    rules: list[str] = field(default_factory=list)
    invoked_by_rules: list[str] = field(default_factory=list)
    artifact_folders: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of_pipeline(cls, account: Account, name: str, config: PipelineConfig, stores: Stores) -> Environment:
        """Make the environment of a pipeline with this physical name."""
        return cls(
            account_id=account.account_id,
            region=account.region,
            partition=account.partition,
            dns_suffix=account.dns_suffix,
            name=name,
            stores=stores,
            retain=config.removal == "retain",
            log_retention_in_days=config.log_retention_in_days,
            tags=config.tags,
            network=config.network,
            permissions_boundary_arn=config.permissions_boundary_arn,
            role_path=config.role_path,
            roles=config.existing.roles,
        )
