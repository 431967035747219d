"""What SageMaker needs to run in a VPC."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._cdk import Fn
from ..config._tokens import is_list_token as is_list_token
from .policy import allow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .environment import Environment
    from .policy import Statement


def joined(ids: Sequence[str]) -> str:
    """Join IDs into one string, separated by commas; they may be references."""
    return Fn.join(",", list(ids)) if is_list_token(ids) else ",".join(ids)


def network_settings(env: Environment) -> dict[str, str]:
    """Return subnets and security groups as environment variables of a function that starts SageMaker jobs."""
    network = env.network
    return {
        "SUBNET_IDS": "" if network is None else joined(network.subnet_ids),
        "SECURITY_GROUP_IDS": "" if network is None else joined(network.security_group_ids),
    }


def network_permissions(env: Environment) -> list[Statement]:
    """Allow SageMaker to create network interfaces in a VPC.

    https://docs.aws.amazon.com/sagemaker/latest/dg/sagemaker-roles.html
    """
    if env.network is None:
        return []
    # Subnets and groups may be shared from another account.
    anywhere = f"arn:{env.partition}:ec2:{env.region}:*"
    interfaces = env.arn("ec2", "network-interface/*")
    return [
        allow("ec2:CreateNetworkInterface", [interfaces, f"{anywhere}:subnet/*", f"{anywhere}:security-group/*"]),
        allow(
            [
                "ec2:CreateNetworkInterfacePermission",
                "ec2:DeleteNetworkInterface",
                "ec2:DeleteNetworkInterfacePermission",
            ],
            interfaces,
        ),
        # These actions take no resource, hence `*`.
        allow(
            [
                "ec2:DescribeDhcpOptions",
                "ec2:DescribeNetworkInterfaces",
                "ec2:DescribeSecurityGroups",
                "ec2:DescribeSubnets",
                "ec2:DescribeVpcs",
            ],
            "*",
        ),
    ]
