"""Who says that a model may go to production."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ._rules import in_range, matches

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..errors import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """The manual approval before production.

    Attributes:
        emails: Addresses that get the evidence and the link; each must confirm its subscription once. Literal.
        timeout_minutes: Without an answer the execution fails after this, so that a forgotten approval does not
            block the next data set for long. 5 to 86,400 minutes, 1 day unless given. Literal.
            https://docs.aws.amazon.com/codepipeline/latest/userguide/approvals.html
    """

    emails: Sequence[str] = ()
    timeout_minutes: int = 24 * 60

    def problems(self) -> Iterator[Problem]:
        """Yield what is wrong."""
        for index, email in enumerate(self.emails):
            yield from matches(
                f"emails[{index}]", email, r"[^@\s]+@[^@\s]+\.[^@\s]+", "must be an e-mail address", "correct it"
            )
        yield from in_range("timeout_minutes", self.timeout_minutes, 5, 86_400, "minutes")
