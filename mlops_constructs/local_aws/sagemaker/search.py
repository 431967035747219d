"""Chooses the hyperparameters of a tuning job; the same job name gives the same choices."""

from __future__ import annotations

import itertools
import math
import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_constructs.local_aws.service import Params

Chosen = dict[str, str]


def choices(job_name: str, config: Params) -> Iterator[Chosen]:
    """The hyperparameters of each training job; endless, except for the strategy ``Grid``.

    The local AWS does not learn from results: ``Bayesian`` and ``Hyperband`` choose at random too.
    """
    ranges = config.get("ParameterRanges", {})
    if config["Strategy"] == "Grid":
        categories = {entry["Name"]: entry["Values"] for entry in ranges.get("CategoricalParameterRanges", [])}
        for values in itertools.product(*categories.values()):
            yield dict(zip(categories, values, strict=True))
        return
    generator = random.Random(str(config.get("RandomSeed", job_name)))
    while True:
        yield _random(ranges, generator)


def _random(ranges: Params, generator: random.Random) -> Chosen:
    chosen = {}
    for entry in ranges.get("IntegerParameterRanges", []):
        low, high = int(entry["MinValue"]), int(entry["MaxValue"])
        number = round(_number(low - 0.5, high + 0.5, entry, generator))
        chosen[entry["Name"]] = str(min(high, max(low, number)))
    for entry in ranges.get("ContinuousParameterRanges", []):
        low_end, high_end = float(entry["MinValue"]), float(entry["MaxValue"])
        chosen[entry["Name"]] = repr(min(high_end, max(low_end, _number(low_end, high_end, entry, generator))))
    for entry in ranges.get("CategoricalParameterRanges", []):
        chosen[entry["Name"]] = generator.choice(entry["Values"])
    return chosen


def _number(low: float, high: float, entry: Params, generator: random.Random) -> float:
    scaling = entry.get("ScalingType", "Auto")
    if scaling == "Logarithmic":
        return math.exp(generator.uniform(math.log(low), math.log(high)))
    if scaling == "ReverseLogarithmic":
        return 1 - math.exp(generator.uniform(math.log(1 - high), math.log(1 - low)))
    return generator.uniform(low, high)
