"""The VPC that training and serving run in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import Problem
from ._part import Part
from ._rules import references

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True, kw_only=True)
class Network(Part):
    """Subnets and security groups for training jobs, tuning jobs and endpoints.

    SageMaker reaches S3, ECR and CloudWatch through this network, so it needs their VPC endpoints or a NAT gateway.
    https://docs.aws.amazon.com/sagemaker/latest/dg/train-vpc.html

    Attributes:
        subnet_ids: 1 to 16 subnets of one VPC. References.
        security_group_ids: 1 to 5 security groups of that VPC; for distributed training, one must allow traffic
            between its own members. References.
    """

    subnet_ids: Sequence[str]
    security_group_ids: Sequence[str]

    def problems(self) -> Iterator[Problem]:
        """Yield what is wrong."""
        for name, most in (("subnet_ids", 16), ("security_group_ids", 5)):
            ids = getattr(self, name)
            if not 1 <= len(ids) <= most:
                yield Problem(name, f"must have 1 to {most} entries", len(ids), "give that many")
            yield from references(name, ids)
