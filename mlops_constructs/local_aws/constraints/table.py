"""All rules, by operation."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from mlops_constructs.local_aws.constraints import (
    alarms,
    builds,
    checksums,
    endpoint_modes,
    endpoints,
    events,
    functions,
    identity,
    jobs,
    metrics,
    models,
    objects,
    parameters,
    published,
    scaling,
    stacks,
    transforms,
)

if TYPE_CHECKING:
    from mlops_constructs.local_aws.account import Account
    from mlops_constructs.local_aws.constraints.rule import Rule
    from mlops_constructs.local_aws.service import Params

RULES: tuple[Rule, ...] = (
    *jobs.RULES,
    *transforms.RULES,
    *models.RULES,
    *endpoints.RULES,
    *endpoint_modes.RULES,
    *scaling.RULES,
    *alarms.RULES,
    *metrics.RULES,
    *published.RULES,
    *parameters.RULES,
    *events.RULES,
    *identity.RULES,
    *functions.RULES,
    *builds.RULES,
    *stacks.RULES,
    *objects.RULES,
    *checksums.RULES,
)

_BY_CALL: dict[str, list[Rule]] = defaultdict(list)
for _rule in RULES:
    for _call in _rule.calls:
        _BY_CALL[_call].append(_rule)


def check_call(account: Account, call: str, params: Params) -> None:
    """Raise AWS's error for the first rule that a request violates.

    Args:
        account: The account in which existing resources are looked up.
        call: Service and operation, such as `sagemaker:CreateModel`.
        params: The request's members.
    """
    for rule in _BY_CALL.get(call, ()):
        rule.check(params, account)
