"""Which permissions a call of the API needs: actions, resources, condition keys.

One table a service, a row an operation, written by the service authorization reference. A call that is in no table
needs the action of its own name on ``*``, and is marked as guessed: no policy that names resources allows it.
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

# Where the prefix of actions is not botocore's name of the service.
_PREFIXES = {
    "sagemaker-runtime": "sagemaker",
    "sagemaker-metrics": "sagemaker",
    "s3control": "s3",
    "stepfunctions": "states",
}


def checks_of(call: Call, facts: Facts) -> tuple[Check, ...]:
    """Give the permissions that a call needs, all of them; none for a call that is free.

    Args:
        call: The call.
        facts: What the account knows: keys that encrypt, objects with tags.
    """
    row = TABLE.get((call.service, call.operation))
    if row is None:
        prefix = _PREFIXES.get(call.service, call.service)
        return (Check(f"{prefix}:{call.operation}", known=False),)
    return tuple(row(call, facts))
