"""What a pipeline may cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..errors import Problem
from ._part import Part
from ._rules import in_range, instance_type, literal, matches
from ._tokens import is_token

if TYPE_CHECKING:
    from collections.abc import Iterator

_MAX_USD = 100_000_000
# A notification of a budget has at most 10 e-mail addresses, and a budget has one more for an SNS topic.
# https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_budgets_CreateNotification.html
_MAX_EMAILS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost(Part):
    """What a pipeline may cost, and what its instances cost.

    A price is that of ``Endpoint(hourly_price_usd=...)``, or that of ``hourly_prices_usd``, or AWS's on-demand price in
    the table of this library, which is dated and incomplete; ``mlops cost`` shows it. A limit needs the price of every
    instance type that it is about.

    Attributes:
        max_training_usd: Maximum cost of the instances of one training, for all its jobs and all its time, 0.01 to
            100,000,000 US dollars. The configuration must fit; a data set that requests more is refused before a job is
            started. None for no limit. Literal.
        max_monthly_usd: What the DEV and production endpoints may cost a month (730 hours) at their maximum number of
            instances, 0.01 to 100,000,000 US dollars. A release that may cost more needs a reason: the approver is
            asked for a comment, and without one it is not deployed. None for no limit. Literal.
        budget_emails: At most 10 addresses that AWS Budgets notifies when the endpoints of the pipeline have cost 80
            and 100 percent of ``max_monthly_usd`` this month, and when they are expected to cost more. A budget counts
            nothing until somebody activates the tag ``mlops:pipeline`` as a cost allocation tag in the account that
            pays: https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/activating-tags.html. Not in the
            partition ``aws-us-gov``, which has no AWS Budgets. Literal.
        hourly_prices_usd: Instance type to the price of one instance per hour, in US dollars, with your discounts; for
            training, evaluation jobs and endpoints. Literal.
    """

    max_training_usd: float | None = None
    max_monthly_usd: float | None = None
    budget_emails: Sequence[str] = ()
    hourly_prices_usd: Mapping[str, float] = field(default_factory=dict)

    def problems(self) -> Iterator[Problem]:
        """Yield what is wrong."""
        for name in ("max_training_usd", "max_monthly_usd"):
            value = getattr(self, name)
            if value is not None:
                yield from in_range(name, value, 0.01, _MAX_USD, "US dollars")
        yield from self._email_problems()
        if is_token(self.hourly_prices_usd):
            yield from literal("hourly_prices_usd", self.hourly_prices_usd)
            return
        for type_, price in self.hourly_prices_usd.items():
            place = f"hourly_prices_usd[{type_!r}]"
            yield from instance_type(place, type_)
            yield from in_range(place, price, 0, 10_000, "US dollars per hour")

    def _email_problems(self) -> Iterator[Problem]:
        for index, email in enumerate(self.budget_emails):
            yield from matches(
                f"budget_emails[{index}]", email, r"[^@\s]+@[^@\s]+\.[^@\s]+", "must be an e-mail address", "correct it"
            )
        emails = list(self.budget_emails)
        if is_token(self.budget_emails) or any(is_token(email) for email in emails):
            return
        if len(emails) > _MAX_EMAILS:
            remedy = "give the address of a mailing list"
            yield Problem("budget_emails", f"must be at most {_MAX_EMAILS} addresses", emails, remedy)
        if len(set(emails)) < len(emails):
            yield Problem("budget_emails", "must have each address once", emails, "remove the duplicates")
        if emails and self.max_monthly_usd is None:
            yield Problem("budget_emails", "needs max_monthly_usd", emails, "set max_monthly_usd, or leave it out")
