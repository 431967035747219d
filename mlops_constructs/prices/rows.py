"""The rows of ``mlops cost``, from what is deployed: requests of jobs, and parameters of the endpoints' stacks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .amounts import HOURS_PER_MONTH, Amount, billed_seconds, of_instances, total
from .book import UNKNOWN, PriceBook
from .table import alarm_price, storage_price

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from .table import StorageUsage, Usage

SEARCH = "hyperparameter search"
PER_GB = "a GB and month"
_DAYS_PER_MONTH = HOURS_PER_MONTH / 24
# Of a template with two slots, each has its own parameters.
_SLOTS = ("", "Primary", "Secondary")


@dataclass(frozen=True, slots=True)
class Row:
    """What one part costs.

    Attributes:
        part: The part, as shown to people.
        what: Its instances or storage.
        hourly: Its cost per hour; None when it is unknown, or nothing runs by the hour.
        period: The time that ``amount`` is for.
        amount: Its cost in that time, or None when it is unknown.
        source: Where the price is from.
        is_monthly: Whether it is part of the month's total.
    """

    part: str
    what: str
    hourly: Amount | None
    period: str
    amount: Amount | None
    source: str
    is_monthly: bool = False


def rows_of(
    documents: Sequence[Any],
    endpoints: Mapping[str, Mapping[str, Any]],
    notebook: tuple[str, int] | None,
    book: PriceBook,
    notebook_hours: float,
    alarm_metrics: int = 0,
) -> list[Row]:
    """Return every row.

    Args:
        documents: The documents of the pipeline's functions; that of the evidence tells how long endpoints run.
        endpoints: Environment (``dev``, ``production``) to the parameters of its stack.
        notebook: Instance type and GB of the notebook instance, or None.
        book: The prices.
        notebook_hours: Hours a day that the notebook runs.
        alarm_metrics: Number of metrics of all alarms, of which CloudWatch charges for each.
    """
    found: list[Row] = []
    for document in documents:
        found += _jobs(document, book) if isinstance(document, dict) else []
    hours = next((one for one in documents if isinstance(one, dict) and "max_dev_hours" in one), {})
    found += [_endpoint(name, parameters, book, hours) for name, parameters in endpoints.items()]
    found += [] if notebook is None else _notebook(*notebook, book, notebook_hours)
    found += [_alarms(alarm_metrics, book)] if alarm_metrics else []
    return [*found, _storage("storage", "data sets, models, records: GB not known", None, "s3", book)]


def monthly(rows: Iterable[Row]) -> tuple[Amount, list[str]]:
    """Return the total of a month, of the rows that cost every month and are known; and the parts that are not."""
    every_month = [row for row in rows if row.is_monthly]
    known = [row.amount for row in every_month if row.amount is not None]
    return total(known) or Amount(0, 0), [row.part for row in every_month if row.amount is None]


def _jobs(document: Mapping[str, Any], book: PriceBook) -> Iterator[Row]:
    """Yield the rows of training, evaluation and batches; the price is that of the most expensive type allowed."""
    if "training_job" in document:
        job, search = document["training_job"], document.get("tuning_job")
        cluster = job["ResourceConfig"]
        types = [cluster["InstanceType"], *document.get("fallback_instance_types", ())]
        seconds = billed_seconds(job, search)
        part = SEARCH if search else "training"
        yield _job(part, "training", types, cluster["InstanceCount"], seconds, book)
    if "processing_job" in document:
        request = document["processing_job"]
        cluster = request["ProcessingResources"]["ClusterConfig"]
        seconds = request["StoppingCondition"]["MaxRuntimeInSeconds"]
        yield _job("evaluation", "processing", [cluster["InstanceType"]], cluster["InstanceCount"], seconds, book)
    if "transform_job" in document:
        yield _batch(document["transform_job"]["TransformResources"], book)


def _job(part: str, usage: Usage, types: Sequence[str], count: int, seconds: int, book: PriceBook) -> Row:
    found = [book.find(usage, usage, one) for one in types]
    prices = [price for price, _ in found if price is not None]
    what = f"{count} x {' or '.join(types)}"
    period = f"at most {seconds / 3600:g} h{' of all its jobs' if part == SEARCH else ''}"
    if len(prices) < len(types):
        return Row(part, what, None, period, None, UNKNOWN)
    hourly = of_instances(count, count, max(prices))
    source = next(source for price, source in found if price == max(prices))
    return Row(part, what, hourly, period, Amount(0, hourly.most * seconds / 3600), source)


def _batch(resources: Mapping[str, Any], book: PriceBook) -> Row:
    """Return the row of one hour of a transform job: SageMaker has no limit for its runtime."""
    count, instance_type = resources["InstanceCount"], resources["InstanceType"]
    price, source = book.find("transform", "transform", instance_type)
    hourly = None if price is None else of_instances(count, count, price)
    return Row("batch transform", f"{count} x {instance_type}", hourly, "each hour of a job", hourly, source)


def _endpoint(name: str, parameters: Mapping[str, Any], book: PriceBook, hours: Mapping[str, Any]) -> Row:
    """Return the row of an endpoint; in an A/B test the maximum is both slots."""
    if "MemorySizeInMB" in parameters:
        return _serverless(name, parameters)
    slots = [
        {name.removeprefix(slot): value for name, value in parameters.items() if name.startswith(slot)}
        for slot in _SLOTS
        if f"{slot}InstanceType" in parameters
    ]
    what, hourly, month, sources = [], list[Amount | None](), list[Amount | None](), []
    scales = any(str(slot["Autoscales"]) == "true" for slot in slots)
    office_hours = hours.get("office_hours", {}).get(name) if scales else None
    for slot in slots:
        least, most = _capacities(slot)
        price, source = book.find(name, "hosting", slot["InstanceType"])
        what.append(f"{least if least == most else f'{least} to {most}'} x {slot['InstanceType']}")
        hourly.append(None if price is None else of_instances(least, most, price))
        month.append(None if price is None else _slot_month(slot, price, office_hours))
        sources.append(source)
    part, source = _part(name), ", ".join(dict.fromkeys(sources))
    text, both = " and, in an A/B test, ".join(what), _of_slots(hourly)
    if str(parameters.get("Paused", "no")) != "no":
        return Row(part, f"{text}, paused", Amount(0, 0), "a month", Amount(0, 0), source, is_monthly=True)
    max_hours = hours.get("max_dev_hours") if name == "dev" else None
    if max_hours is not None:
        period = f"a month with one release: until the decision, at most {max_hours:g} h"
        amount = None if both is None else Amount(0, both.most * max_hours)
        return Row(part, text, both, period, amount, UNKNOWN if both is None else source, is_monthly=True)
    period = "a month" if office_hours is None else f"a month, {office_hours['Share']:.0%} of it office hours"
    return Row(part, text, both, period, _of_slots(month), UNKNOWN if both is None else source, is_monthly=True)


def _capacities(slot: Mapping[str, Any]) -> tuple[int, int]:
    scales = str(slot["Autoscales"]) == "true"
    names = ("MinCapacity", "MaxCapacity") if scales else ("InitialInstanceCount",) * 2
    least, most = (int(slot[each]) for each in names)
    return least, most


def _slot_month(slot: Mapping[str, Any], price: float, office_hours: Mapping[str, Any] | None) -> Amount:
    """Return a month of a slot, with other capacities outside its office hours."""
    hourly = of_instances(*_capacities(slot), price)
    if office_hours is None or str(slot["Autoscales"]) != "true":
        return hourly.times(HOURS_PER_MONTH)
    within = office_hours["Share"] * HOURS_PER_MONTH
    outside = of_instances(int(office_hours["MinCapacity"]), int(office_hours["MaxCapacity"]), price)
    rest = outside.times(HOURS_PER_MONTH - within)
    day = hourly.times(within)
    return Amount(day.least + rest.least, day.most + rest.most)


def _of_slots(amounts: Sequence[Amount | None]) -> Amount | None:
    """Return the least of one slot and the most of all; None when one is not known."""
    both = total(amounts)
    return None if both is None else Amount(min(one.least for one in amounts if one is not None), both.most)


def _serverless(name: str, parameters: Mapping[str, Any]) -> Row:
    """Return the row of a serverless endpoint: it costs by the millisecond of its requests, which nobody knows."""
    what = f"serverless, {parameters['MemorySizeInMB']} MB, up to {parameters['MaxConcurrency']} at a time"
    kept = int(parameters["ProvisionedConcurrency"])
    what += f", {kept} kept ready" if kept else ""
    return Row(_part(name), what, None, "by its requests", None, UNKNOWN, is_monthly=True)


def _part(name: str) -> str:
    return f"{'DEV' if name == 'dev' else name} endpoint"


def _notebook(instance_type: str, gigabytes: int, book: PriceBook, hours: float) -> list[Row]:
    price, source = book.find("notebook", "notebook", instance_type)
    hourly = None if price is None else of_instances(1, 1, price)
    amount = None if hourly is None else hourly.times(hours * _DAYS_PER_MONTH)
    period = f"a month of {hours:g} h a day"
    running = Row("notebook", f"1 x {instance_type}", hourly, period, amount, source, is_monthly=True)
    return [running, _storage("notebook's volume", f"{gigabytes} GB", gigabytes, "notebook", book)]


def _alarms(metrics: int, book: PriceBook) -> Row:
    price = alarm_price(book.region)
    what = f"{metrics} metric{'' if metrics == 1 else 's'}, those of autoscaling not counted"
    if price is None:
        return Row("alarms", what, None, "a month", None, UNKNOWN, is_monthly=True)
    amount = Amount(price.usd, price.usd).times(metrics)
    return Row("alarms", what, None, "a month", amount, str(price), is_monthly=True)


def metrics_of_alarm(queries: Iterable[Mapping[str, Any]] | None) -> int:
    """Return the number of metrics that CloudWatch charges for: an expression costs what its metrics cost.

    Args:
        queries: The ``Metrics`` of the alarm, or None for one metric.
    """
    return 1 if not queries else sum("MetricStat" in one for one in queries)


def _storage(part: str, what: str, gigabytes: int | None, usage: StorageUsage, book: PriceBook) -> Row:
    price = storage_price(book.region, usage)
    if price is None:
        return Row(part, what, None, "a month", None, UNKNOWN, is_monthly=gigabytes is not None)
    if gigabytes is None:
        return Row(part, what, None, PER_GB, Amount(price.usd, price.usd), str(price))
    return Row(part, what, None, "a month", Amount(price.usd, price.usd).times(gigabytes), str(price), is_monthly=True)
