"""The prices of a pipeline's instances, and what its limits on cost need."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import Problem
from ..prices import hourly_price, regions
from ..prices.amounts import billed_seconds, of_instances, span

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ..config import PipelineConfig
    from ..prices import Usage

_OWN = "the pipeline's configuration"


@dataclass(frozen=True, slots=True)
class HourlyPrices:
    """What one instance costs per hour, in US dollars; an instance type without a known price is left out.

    Attributes:
        training: Instance type to price, for the types that may train.
        endpoints: Environment (``dev``, ``production``) to the same for its endpoint.
        sources: Instance type to where the price for the production endpoint is from.
    """

    training: Mapping[str, float]
    endpoints: Mapping[str, Mapping[str, float]]
    sources: Mapping[str, str]

    @classmethod
    def of(cls, config: PipelineConfig, region: str | None) -> HourlyPrices:
        """Find the prices; the table of this library has none where the region is not known at synth."""
        own = config.cost.hourly_prices_usd
        endpoints, sources = {}, {}
        for name, endpoint in (("dev", config.dev), ("production", config.production)):
            price = endpoint.hourly_price_usd
            types = config.allowed_endpoints[name].instance_types
            given = own if price is None else {**own, endpoint.instance_type: price}
            endpoints[name] = _prices(types, given, region, "hosting")
            sources = {one: _source(one, given, region) for one in endpoints[name]}
        return cls(_prices(config.allowed_training.instance_types, own, region, "training"), endpoints, sources)


def cost_problems(config: PipelineConfig, prices: HourlyPrices, region: str | None) -> Iterator[Problem]:
    """Yield why the limits of ``Cost`` cannot be kept: a price is unknown, or the configuration costs more."""
    cost = config.cost
    if cost.max_training_usd is not None:
        types = config.allowed_training.instance_types
        yield from _unknown("max_training_usd", cost.max_training_usd, types, prices.training, region)
        if all(one in prices.training for one in config.training.instance_types):
            yield from _too_expensive(config, prices, cost.max_training_usd)
    if cost.max_monthly_usd is not None:
        for name, known in prices.endpoints.items():
            types = config.allowed_endpoints[name].instance_types
            yield from _unknown("max_monthly_usd", cost.max_monthly_usd, types, known, region)
    if cost.budget_emails and (region or "").startswith("us-gov-"):
        # The costs of such an account are those of an account in the partition aws.
        rule = f"must be empty in {region}: the partition aws-us-gov has no AWS Budgets"
        remedy = "make the budget in the account that pays, on the tag mlops:pipeline"
        yield Problem("cost.budget_emails", rule, list(cost.budget_emails), remedy)


def _prices(types: Iterable[str], own: Mapping[str, float], region: str | None, usage: Usage) -> dict[str, float]:
    found = {}
    for one in types:
        listed = hourly_price(region, usage, one)
        if one in own:
            found[one] = own[one]
        elif listed is not None:
            found[one] = listed.usd
    return found


def _source(instance_type: str, own: Mapping[str, float], region: str | None) -> str:
    return _OWN if instance_type in own else str(hourly_price(region, "hosting", instance_type))


def _unknown(
    limit: str, value: float, types: Iterable[str], known: Mapping[str, float], region: str | None
) -> Iterator[Problem]:
    for one in types:
        if one not in known:
            where = "a region that is not known at synth" if region is None else region
            listed = ", ".join(regions())
            rule = f"needs the price of {one}, which is unknown in {where} (the table has some of {listed})"
            yield Problem(f"cost.{limit}", rule, value, f"give it: Cost(hourly_prices_usd={{{one!r}: ...}})")


def _too_expensive(config: PipelineConfig, prices: HourlyPrices, limit: float) -> Iterator[Problem]:
    training, tuning = config.training, config.tuning
    job = {
        "ResourceConfig": {"KeepAlivePeriodInSeconds": training.keep_alive_period_in_seconds},
        "StoppingCondition": {"MaxRuntimeInSeconds": training.max_runtime_in_seconds},
    }
    search = None
    if tuning is not None:
        limits = {
            "MaxNumberOfTrainingJobs": tuning.jobs,
            "MaxParallelTrainingJobs": tuning.max_parallel_jobs,
            "MaxRuntimeInSeconds": tuning.max_runtime_in_seconds,
        }
        search = {"HyperParameterTuningJobConfig": {"ResourceLimits": limits}}
    price = max(prices.training[one] for one in training.instance_types)
    count = training.instance_count
    most = of_instances(count, count, price, billed_seconds(job, search) / 3600).most
    # In cents, as train_model compares them.
    if round(most * 100) > round(limit * 100):
        rule = f"must be at least what a training may cost, {span(most, most)}"
        remedy = "increase it, or reduce max_runtime_in_seconds, the instances, or the jobs of the search"
        yield Problem("cost.max_training_usd", rule, limit, remedy)
