"""Where a pipeline is deployed, and what every stage needs to know of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .._cdk import region_name
from ..provider import data_aws_caller_identity, data_aws_partition, data_aws_region
from .partition import outside_of_china

if TYPE_CHECKING:
    from collections.abc import Mapping

    from constructs import Construct

    from ..config import Network, PipelineConfig


@dataclass(frozen=True, slots=True)
class RequiredRole:
    """What a role must be, that is handed in instead of made.

    Attributes:
        service: Service that assumes it, such as ``lambda.amazonaws.com``.
        policy: JSON of what it must be allowed.
    """

    service: str
    policy: str


@dataclass(frozen=True, slots=True)
class Environment:
    """Account, region and partition of the stack's provider, and the name that resources start with.

    Attributes:
        name: Physical name of the pipeline, a literal.
        account: Account id, a token.
        region: Region name, a token.
        partition: ``aws`` or ``aws-us-gov``, a token.
        dns_suffix: What the partition's host names end with, such as ``amazonaws.com``, a token.
        retain: Whether data outlives a destroy.
        log_retention_days: How long logs are kept.
        tags: What the user tags everything with.
        network: The VPC that SageMaker runs in, or None.
        permissions_boundary_arn: Boundary of every role, or None.
        role_path: IAM path of every role.
        roles: Purpose to the ARN of a role that is handed in.
        required_roles: Purpose to what each role is; each role puts itself in here.
    """

    name: str
    account: str
    region: str
    partition: str
    dns_suffix: str
    retain: bool
    log_retention_days: int
    tags: Mapping[str, str]
    network: Network | None
    permissions_boundary_arn: str | None
    role_path: str
    roles: Mapping[str, str]
    required_roles: dict[str, RequiredRole] = field(default_factory=dict)

    @classmethod
    def of(cls, scope: Construct, name: str, config: PipelineConfig) -> Environment:
        """Read account, region and partition from the provider, never guess them."""
        partition = data_aws_partition.DataAwsPartition(scope, "partition", lifecycle=outside_of_china())
        # Each attribute read is a round trip to jsii's kernel: once, here.
        return cls(
            name=name,
            account=data_aws_caller_identity.DataAwsCallerIdentity(scope, "account").account_id,
            region=region_name(data_aws_region.DataAwsRegion(scope, "region")),
            partition=partition.partition,
            dns_suffix=partition.dns_suffix,
            retain=config.removal == "retain",
            log_retention_days=config.log_retention_days,
            tags=config.tags,
            network=config.network,
            permissions_boundary_arn=config.permissions_boundary_arn,
            role_path=config.role_path,
            roles=config.existing.roles,
        )

    def arn(self, service: str, resource: str, *, regional: bool = True) -> str:
        """Make an ARN in this account."""
        region = self.region if regional else ""
        return f"arn:{self.partition}:{service}:{region}:{self.account}:{resource}"

    def registry_host(self, account: str | None = None) -> str:
        """Make the host name of an account's image registry, of this account unless given."""
        owner = self.account if account is None else account
        return f"{owner}.dkr.ecr.{self.region}.{self.dns_suffix}"

    def bucket_arn(self, name: str) -> str:
        """Make the ARN of a bucket; a bucket's name is unique in its partition."""
        return f"arn:{self.partition}:s3:::{name}"

    def bucket(self, purpose: str) -> str:
        """Make a bucket name that is unique in the world."""
        return f"{self.name}-{purpose}-{self.account}-{self.region}"
