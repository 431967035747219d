"""The arithmetic: instances, prices and time to US dollars."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# AWS's pricing pages use the hours of an average month.
HOURS_PER_MONTH = 730


@dataclass(frozen=True, slots=True, order=True)
class Amount:
    """US dollars, from ``least`` to ``most``."""

    least: float
    most: float

    def __add__(self, other: Amount) -> Amount:
        return Amount(self.least + other.least, self.most + other.most)

    def times(self, number: float) -> Amount:
        """Return the amount for another time or number."""
        return Amount(self.least * number, self.most * number)

    def __str__(self) -> str:
        return span(self.least, self.most)


def of_instances(least: int, most: int, hourly_usd: float, hours: float = 1) -> Amount:
    """Return what ``least`` to ``most`` instances cost in this time."""
    return Amount(least * hourly_usd * hours, most * hourly_usd * hours)


def total(amounts: Iterable[Amount | None]) -> Amount | None:
    """Return the sum; None, which is unknown, when one of them is unknown."""
    found = Amount(0, 0)
    for amount in amounts:
        if amount is None:
            return None
        found += amount
    return found


def billed_seconds(training_job: Mapping[str, Any], tuning_job: Mapping[str, Any] | None) -> int:
    """Return the maximum time that is billed for each instance of a training, all jobs of a search together.

    Repeated attempts are in it: MaxRuntimeInSeconds is their time in total. Instances that are kept for the next job
    are billed too.
    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_StoppingCondition.html

    Args:
        training_job: Members of CreateTrainingJob.
        tuning_job: Members of CreateHyperParameterTuningJob, or None.
    """
    kept = training_job["ResourceConfig"].get("KeepAlivePeriodInSeconds", 0)
    seconds: int = training_job["StoppingCondition"]["MaxRuntimeInSeconds"] + kept
    if not tuning_job:
        return seconds
    limits = tuning_job["HyperParameterTuningJobConfig"]["ResourceLimits"]
    together: int = limits["MaxNumberOfTrainingJobs"] * seconds
    at_a_time: int = limits["MaxParallelTrainingJobs"] * limits.get("MaxRuntimeInSeconds", together)
    return min(together, at_a_time)


def span(least: float, most: float) -> str:
    """Write an amount for people: cents below 100 dollars, whole dollars from there on."""
    lower, upper = _rounded(least), _rounded(most)
    return f"{lower if lower == upper else f'{lower} to {upper}'} USD"


def _rounded(usd: float) -> str:
    return f"{usd:,.0f}" if usd >= 100 else f"{usd:.2f}"
