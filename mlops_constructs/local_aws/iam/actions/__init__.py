"""The permissions that an API call needs: actions, resources and condition keys.

One table per service and one row per operation, from the service authorization reference. A call that is in no table
needs the action with its own name on ``*``, and is marked as guessed: no policy that names resources allows it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..calls import Check
from . import _delivery, _others, _s3, _sagemaker
from ._s3 import needed_to_see_missing

if TYPE_CHECKING:
    from ..calls import Call, Facts
    from ._rows import Table

__all__ = ["TABLE", "checks_of", "needed_to_see_missing"]

TABLE: Table = {**_sagemaker.TABLE, **_s3.TABLE, **_delivery.TABLE, **_others.TABLE}
"""By service and operation, as botocore names them."""

# Services whose prefix of actions is not their name in botocore.
_PREFIXES = {
    "sagemaker-runtime": "sagemaker",
    "sagemaker-metrics": "sagemaker",
    "s3control": "s3",
    "stepfunctions": "states",
}


def checks_of(call: Call, facts: Facts) -> tuple[Check, ...]:
    """Return all permissions that a call needs; none for a call that needs no permission.

    Args:
        call: The call.
        facts: Facts about the account's resources: their KMS keys and tags.
    """
    row = TABLE.get((call.service, call.operation))
    if row is None:
        prefix = _PREFIXES.get(call.service, call.service)
        return (Check(f"{prefix}:{call.operation}", known=False),)
    return tuple(row(call, facts))
