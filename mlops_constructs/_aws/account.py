"""The account, region and partition that a pipeline is deployed to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .._cdk import region_name
from ..provider import data_aws_caller_identity, data_aws_partition, data_aws_region
from .partition import outside_of_china

if TYPE_CHECKING:
    from constructs import Construct


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The account and region of the stack's provider; every value is a token.

    Attributes:
        account_id: ID of the account.
        region: Name of the region.
        partition: ``aws`` or ``aws-us-gov``.
        dns_suffix: What the partition's host names end with, such as ``amazonaws.com``.
    """

    account_id: str
    region: str
    partition: str
    dns_suffix: str

    @classmethod
    def of(cls, scope: Construct) -> Account:
        """Read the account, region and partition from the provider; none of them is guessed."""
        partition = data_aws_partition.DataAwsPartition(scope, "partition", lifecycle=outside_of_china())
        # Each read of an attribute is a round trip to jsii's kernel, so each is read once, here.
        return cls(
            account_id=data_aws_caller_identity.DataAwsCallerIdentity(scope, "account").account_id,
            region=region_name(data_aws_region.DataAwsRegion(scope, "region")),
            partition=partition.partition,
            dns_suffix=partition.dns_suffix,
        )

    def arn(self, service: str, resource: str) -> str:
        """Make the ARN of a resource in this account and region."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.account_id}:{resource}"

    def bucket_arn(self, name: str) -> str:
        """Make the ARN of a bucket, which has no region and no account: its name is unique in the partition."""
        return f"arn:{self.partition}:s3:::{name}"

    def registry_host(self, account_id: str | None = None) -> str:
        """Make the host name of an account's ECR registry; without an argument, of this account's."""
        owner = self.account_id if account_id is None else account_id
        return f"{owner}.dkr.ecr.{self.region}.{self.dns_suffix}"
