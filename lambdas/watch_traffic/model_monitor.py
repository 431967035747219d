"""The files of SageMaker Model Monitor: ``statistics.json``, ``constraints.json``, ``constraint_violations.json``.

Members that it does not have are ours: ``bins``, ``shape``, ``reference``, ``means`` and ``quantiles`` of a feature.
Its KLL sketch is left out; the buckets of numbers are our bins, so they do not have the same width.
https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-byoc-statistics.html
https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-byoc-constraints.html
https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-interpreting-violations.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from watch_traffic.baseline import Baseline, Feature
from watch_traffic.bins import NUMBER, TEXT
from watch_traffic.column import MAX_OTHER_TYPE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from watch_traffic.finding import Finding

VERSION = 0.0


def statistics(baseline: Baseline) -> dict[str, Any]:
    """Return the baseline as ``statistics.json``; it can be read again."""
    features = [_statistics(feature) for feature in baseline.features]
    return {"version": VERSION, "dataset": {"item_count": baseline.rows}, "features": features}


def read(written: Mapping[str, Any]) -> Baseline:
    """Read what ``statistics`` has written. Raises ValueError if it is no baseline."""
    try:
        features = tuple(Feature.from_json(_without_distribution(one)) for one in written["features"])
        return Baseline(written["dataset"]["item_count"], features)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"this is not the baseline of a training ({error!r})") from error


def constraints(baseline: Baseline, psi_limit: float) -> dict[str, Any]:
    """Return what the training data suggests as ``constraints.json``."""
    return {
        "version": VERSION,
        "features": [_constraints(feature) for feature in baseline.features],
        "monitoring_config": {
            "evaluate_constraints": "Enabled",
            "emit_metrics": "Enabled",
            "datatype_check_threshold": MAX_OTHER_TYPE,
            "domain_content_threshold": 1.0,
            "distribution_constraints": {
                "perform_comparison": "Enabled",
                "comparison_threshold": psi_limit,
                "comparison_method": "Robust",
            },
        },
    }


def violations(findings: Iterable[Finding]) -> dict[str, Any]:
    """Return the alarms as ``constraint_violations.json``."""
    found = [
        {"feature_name": one.feature, "constraint_check_type": "baseline_drift_check", "description": one.sentence()}
        for one in findings
        if one.alarm
    ]
    return {"violations": found}


def _statistics(feature: Feature) -> dict[str, Any]:
    written = feature.to_json()
    counts, bins = feature.counts, feature.bins
    if bins.kind == NUMBER:
        numerical = written["numerical_statistics"]
        ends = [numerical["min"], *bins.edges, numerical["max"]]
        buckets = [
            {"lower_bound": low, "upper_bound": high, "count": count}
            for low, high, count in zip(ends, ends[1:], counts, strict=False)
        ]
        written["numerical_statistics"] = {**numerical, "distribution": {"kll": {"buckets": buckets}}}
    elif bins.kind == TEXT:
        values = [{"value": name, "count": count} for name, count in zip(bins.categories, counts, strict=False)]
        distribution = {"categorical": {"buckets": values}}
        written["string_statistics"] = {**written["string_statistics"], "distribution": distribution}
    return written


def _without_distribution(written: Mapping[str, Any]) -> dict[str, Any]:
    """Return a feature as ``Feature.to_json`` writes it."""
    found = dict(written)
    for name in found.keys() & {"numerical_statistics", "string_statistics"}:
        found[name] = {key: value for key, value in found[name].items() if key != "distribution"}
    return found


def _constraints(feature: Feature) -> dict[str, Any]:
    of_numbers = feature.bins.kind == NUMBER
    found = feature.statistics["numerical_statistics" if of_numbers else "string_statistics"]
    present, missing = found["common"]["num_present"], found["common"]["num_missing"]
    written: dict[str, Any] = {
        "name": feature.name,
        "inferred_type": feature.statistics["inferred_type"],
        "completeness": present / (present + missing),
    }
    if of_numbers:
        written["num_constraints"] = {"is_non_negative": found["min"] >= 0.0}
    elif feature.bins.kind == TEXT and found["distinct_count"] <= len(feature.bins.categories):
        written["string_constraints"] = {"domains": list(feature.bins.categories)}
    return written
