"""What somebody has changed by hand: the endpoint beside the record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from handler_kit.errors import error_message

if TYPE_CHECKING:
    from collections.abc import Mapping

    from handler_kit.ab_record import Record
    from handler_kit.ab_store import Store

# SageMaker keeps weights in 32 bits.
_ROUNDING = 1e-4
_READS = 3


def read_record(store: Store, sagemaker: Any, endpoint: str) -> tuple[Record, str | None]:
    """Return the record, and how the endpoint differs from it: empty if it does not, None while weights are changed.

    Both are read again when the record was written in between.
    """
    record, _ = store.read()
    found = None
    for _ in range(_READS):
        found = _difference(record, sagemaker, endpoint)
        if not found:
            break
        before, (record, _) = record.version, store.read()
        if record.version == before:
            break
    return record, found


def _difference(record: Record, sagemaker: Any, endpoint: str) -> str | None:
    test = record.test
    if test is None or not test.segments or test.segments[-1].until is not None:
        return None
    try:
        described = sagemaker.describe_endpoint(EndpointName=endpoint)
    except ClientError as error:
        if "not find" not in error_message(error):
            raise
        return f"the endpoint {endpoint} does not exist"
    return _of_variants(record.weights, described.get("ProductionVariants", []))


def _of_variants(wanted: Mapping[str, float], variants: list[dict[str, Any]]) -> str:
    names = sorted(variant["VariantName"] for variant in variants)
    if names != sorted(wanted):
        return f"the endpoint has the variants {', '.join(names) or 'none'}, and not {', '.join(sorted(wanted))}"
    for member in ("CurrentWeight", "DesiredWeight"):
        found = {variant["VariantName"]: variant[member] for variant in variants if member in variant}
        total = sum(found.values())
        if found.keys() == wanted.keys():
            shares = {name: weight / total if total else 0.0 for name, weight in found.items()}
            for name, share in wanted.items():
                if abs(shares[name] - share) > _ROUNDING:
                    return f"the variant {name} has {shares[name]:.4g} of the weight, and not {share:.4g}"
    return ""
