"""The Jupyter notebook instance for exploring data and models."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import Problem
from ._rules import in_range, instance_type

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class Notebook:
    """A SageMaker notebook instance that stops when idle, with IMDSv2 and without root.

    Attributes:
        instance_type: SageMaker instance. Literal.
        volume_size_gb: Disk, 5 to 16,384 GB. Literal.
        idle_timeout_minutes: Stop after this long without a busy kernel, 10 to 1,440 minutes. Literal.
        subnet_id: Put it in this subnet, without direct internet access; the subnet then needs a NAT gateway or
            VPC endpoints. None gives it direct internet access, which it needs to reach AWS at all. Reference.
        security_group_ids: Security groups in that subnet's VPC. References.
    """

    instance_type: str = "ml.t3.medium"
    volume_size_gb: int = 20
    idle_timeout_minutes: int = 60
    subnet_id: str | None = None
    security_group_ids: Sequence[str] = ()

    def problems(self) -> Iterator[Problem]:
        """Yield what is wrong."""
        yield from instance_type("instance_type", self.instance_type)
        yield from in_range("volume_size_gb", self.volume_size_gb, 5, 16_384, "GB")
        yield from in_range("idle_timeout_minutes", self.idle_timeout_minutes, 10, 1_440, "minutes")
        if (self.subnet_id is None) != (not self.security_group_ids):
            yield Problem(
                "security_group_ids",
                "subnet_id and security_group_ids go together",
                tuple(self.security_group_ids),
                "give both or neither",
            )
