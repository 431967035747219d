"""Model packages: what they record, within what SageMaker takes."""

from __future__ import annotations

import math
import re
from typing import Any

from botocore.exceptions import ClientError

from handler_kit import logs
from handler_kit.errors import error_code

METRIC_PREFIX = "metric."
APPROVED, REJECTED, PENDING = "Approved", "Rejected", "PendingManualApproval"
MAX_DESCRIPTION_CHARACTERS = 1024
MAX_PROPERTIES = 50
MAX_VALUE_CHARACTERS = 256

# https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateModelPackage.html
_REFUSED = re.compile(r"[^\w\s.:/=+\-@]+")
# Python's float takes more than this, such as 95_0.
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?|nan|-?inf", re.ASCII)
# The registry takes no brackets, quotes or signs such as <; without them, many a text looks like a number.
_NO_NUMBER = "no number: "


def property_value(text: str) -> str:
    """A text as the registry takes it: letters, digits, spaces and ``_.:/=+-@``, 1 to 256 characters."""
    return " ".join(_REFUSED.sub(" ", text).split())[:MAX_VALUE_CHARACTERS] or "-"


def metric_value(text: str) -> str:
    """A metric as the registry takes it: a number as it is, anything else behind ``no number:``."""
    return text if _is_number(text) else property_value(_NO_NUMBER + text)


def _is_number(text: str) -> bool:
    return len(text) <= MAX_VALUE_CHARACTERS and _NUMBER.fullmatch(text) is not None


def properties_of(package: dict[str, Any]) -> dict[str, str]:
    """The custom metadata of a described package."""
    properties: dict[str, str] = package.get("CustomerMetadataProperties", {})
    return properties


def metrics_of(package: dict[str, Any]) -> dict[str, str]:
    """The recorded metrics, by name, as texts."""
    return {
        name.removeprefix(METRIC_PREFIX): value
        for name, value in properties_of(package).items()
        if name.startswith(METRIC_PREFIX)
    }


def find(sagemaker: Any, arn: str) -> dict[str, Any] | None:
    """Describe a package; ``None`` when it is gone."""
    try:
        package: dict[str, Any] = sagemaker.describe_model_package(ModelPackageName=arn)
    except ClientError as error:
        if error_code(error) not in {"ValidationException", "ResourceNotFound"}:
            raise
        logs.info("model package is gone", model_package=arn)
        return None
    return package


def mark(sagemaker: Any, arn: str, status: str, description: str, properties: dict[str, str] | None = None) -> None:
    """Give a package its approval status and why; ``properties`` are added to those it has."""
    added = {name: property_value(value) for name, value in (properties or {}).items()}
    sagemaker.update_model_package(
        ModelPackageArn=arn,
        ModelApprovalStatus=status,
        ApprovalDescription=description[:MAX_DESCRIPTION_CHARACTERS],
        **({"CustomerMetadataProperties": added} if added else {}),
    )
    logs.info("model package marked", model_package=arn, status=status)


def add_properties(sagemaker: Any, arn: str, properties: dict[str, str]) -> None:
    """Record more of a package, and leave what it has."""
    added = {name: property_value(value) for name, value in properties.items()}
    sagemaker.update_model_package(ModelPackageArn=arn, CustomerMetadataProperties=added)


def parsed(text: str | None) -> float | None:
    """A recorded metric as a number, which may be ``nan`` or infinite; ``None`` when it is no number."""
    return float(text) if text is not None and _is_number(text) else None


def number(text: str | None) -> float | None:
    """A recorded metric as a finite number; ``None`` when it is none, or says nothing."""
    value = parsed(text)
    return value if value is not None and math.isfinite(value) else None


def short(text: str) -> str:
    """A recorded metric for a person; what is no number stays as it is."""
    value = number(text)
    return text if value is None else f"{value:.6g}"
