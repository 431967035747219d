"""What a training may cost at most, before anything of it is started."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handler_kit.errors import ConfigurationError

if TYPE_CHECKING:
    from train_model.settings import Document


def check_cost(document: Document) -> None:
    """Compare the maximum cost of a training with the limit. Raises ConfigurationError with the numbers.

    A price is never guessed: an instance type without a known price is refused where there is a limit.
    """
    limit = document.max_training_usd
    if limit is None:
        return
    unknown = [one for one in document.instance_types if one not in document.hourly_prices_usd]
    if unknown:
        raise ConfigurationError(
            f"The price of {' and '.join(unknown)} is unknown, so max_training_usd ({_usd(limit)}) cannot be checked."
            " Nothing was started. Give the price: Cost(hourly_prices_usd=...)."
        )
    most = max_usd(document)
    # In cents: a sum of floats is never exact.
    if round(most * 100) > round(limit * 100):
        count, hours = document.training_job["ResourceConfig"]["InstanceCount"], billed_seconds(document) / 3600
        raise ConfigurationError(
            f"This training may cost up to {_usd(most)}, more than max_training_usd ({_usd(limit)}): {count} x"
            f" {_most_expensive(document)} for {hours:g} h, all jobs together. Nothing was started. Request fewer or"
            " smaller instances or less time, or increase Cost(max_training_usd=...)."
        )


def max_usd(document: Document) -> float:
    """The maximum cost of all instances: on-demand, all the time, of the most expensive type that may be used."""
    count: int = document.training_job["ResourceConfig"]["InstanceCount"]
    return count * document.hourly_prices_usd[_most_expensive(document)] * billed_seconds(document) / 3600


def billed_seconds(document: Document) -> int:
    """The maximum time that is billed for each instance, all jobs of a search together.

    MaxRuntimeInSeconds is the time of all attempts of a job. Instances that are kept for the next job are billed too.
    """
    job, search = document.training_job, document.tuning_job
    seconds: int = job["StoppingCondition"]["MaxRuntimeInSeconds"]
    seconds += job["ResourceConfig"].get("KeepAlivePeriodInSeconds", 0)
    if search is None:
        return seconds
    limits = search["HyperParameterTuningJobConfig"]["ResourceLimits"]
    together: int = limits["MaxNumberOfTrainingJobs"] * seconds
    at_a_time: int = limits["MaxParallelTrainingJobs"] * limits.get("MaxRuntimeInSeconds", together)
    return min(together, at_a_time)


def _most_expensive(document: Document) -> str:
    return max(document.instance_types, key=lambda one: document.hourly_prices_usd[one])


def _usd(amount: float) -> str:
    return f"{amount:,.2f} USD"
