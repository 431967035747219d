"""Where a pipeline is deployed, and what every stage needs to know of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .._cdk import region_name
from ..provider import data_aws_caller_identity, data_aws_partition, data_aws_region

if TYPE_CHECKING:
    from constructs import Construct


@dataclass(frozen=True, slots=True)
class Environment:
    """Account, region and partition of the stack's provider, and the name that resources start with.

    Attributes:
        name: Physical name of the pipeline, a literal.
        account: Account id, a token.
        region: Region name, a token.
        partition: ``aws`` or ``aws-us-gov``, a token.
        retain: Whether data outlives a destroy.
    """

    name: str
    account: str
    region: str
    partition: str
    retain: bool

    @classmethod
    def of(cls, scope: Construct, name: str, *, retain: bool) -> Environment:
        """Read account, region and partition from the provider, never guess them."""
        # Each attribute read is a round trip to jsii's kernel: once, here.
        return cls(
            name=name,
            account=data_aws_caller_identity.DataAwsCallerIdentity(scope, "account").account_id,
            region=region_name(data_aws_region.DataAwsRegion(scope, "region")),
            partition=data_aws_partition.DataAwsPartition(scope, "partition").partition,
            retain=retain,
        )

    def arn(self, service: str, resource: str, *, regional: bool = True) -> str:
        """Make an ARN in this account."""
        region = self.region if regional else ""
        return f"arn:{self.partition}:{service}:{region}:{self.account}:{resource}"

    def bucket(self, purpose: str) -> str:
        """Make a bucket name that is unique in the world."""
        return f"{self.name}-{purpose}-{self.account}-{self.region}"
