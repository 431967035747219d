"""All checks, in the order in which a deployment depends on them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .demands import demands
from .identity import Caller
from .names import examine_names
from .permissions import examine_permissions
from .prices import PRICING_REGION, examine_prices
from .quotas import examine_quotas
from .service_linked_role import examine_service_linked_role
from .source_code import examine_codecommit, examine_connections

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..doctor.finding import Finding
    from .stack import SynthesizedStack
    from .state import TerraformState


def examine(
    session: Any, stack: SynthesizedStack, state: TerraformState, region: str | None = None
) -> Iterator[Finding]:
    """Check the account, and yield one finding after the other; nothing is created or changed.

    Args:
        session: A boto3 session.
        stack: The stack to deploy.
        state: What Terraform manages already.
        region: Region to check instead of that of the stack's provider.
    """
    caller = Caller(session, region or stack.region)
    yield from caller.findings
    identity = caller.identity
    if identity is None:
        return

    def client(service: str) -> Any:
        return session.client(service, region_name=identity.region)

    wanted = demands(stack)
    yield from examine_permissions(client("iam"), caller.arn, stack, identity)
    yield from examine_names(client, stack, identity, state)
    yield from examine_codecommit(client("codecommit"), stack, state)
    yield from examine_connections(client("codestar-connections"), stack, identity)
    yield from examine_service_linked_role(client("iam"), stack)
    yield from examine_quotas(client("service-quotas"), wanted, identity.region)
    yield from examine_prices(
        lambda: session.client("pricing", region_name=PRICING_REGION), wanted, stack, identity.region
    )
