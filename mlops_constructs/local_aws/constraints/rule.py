"""One row of the table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlops_constructs.local_aws.service import AwsError, Params

if TYPE_CHECKING:
    from mlops_constructs.local_aws.account import Account

Problem = Callable[[Params, "Account"], "str | None"]
"""Returns what is wrong with a request, or None. Uses the account only to look up what exists."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A reason for which AWS rejects a request.

    Attributes:
        calls: Operations that it applies to, such as `sagemaker:CreateModel`.
        code: The error code.
        source: Where it is documented: a member of botocore's model with its text, a page of AWS, or a public report.
        problem: The check.
    """

    calls: tuple[str, ...]
    code: str
    source: str
    problem: Problem

    def check(self, params: Params, account: Account) -> None:
        """Raise the error when the request violates the rule."""
        message = self.problem(params, account)
        if message is not None:
            raise AwsError(self.code, message)


def found(params: Params, path: str) -> object:
    """The value at a path of members such as `ResourceConfig.InstanceType`; None when there is none."""
    value: object = params
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value
