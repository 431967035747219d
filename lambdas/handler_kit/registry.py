"""Model packages: what they record, in the form that SageMaker accepts."""

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
# Python's float accepts more than this, such as 95_0.
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?|nan|-?inf", re.ASCII)
# The registry does not accept brackets, quotes or characters such as <; without them, a text may look like a number.
_NO_NUMBER = "no number: "


def property_value(text: str) -> str:
    """A text in the form that the registry accepts: letters, digits, spaces and ``_.:/=+-@``, 1 to 256 characters."""
    return " ".join(_REFUSED.sub(" ", text).split())[:MAX_VALUE_CHARACTERS] or "-"


def metric_value(text: str) -> str:
    """A metric in the form that the registry accepts: a number unchanged, any other text after ``no number:``."""
    return text if _is_number(text) else property_value(_NO_NUMBER + text)


def _is_number(text: str) -> bool:
    return len(text) <= MAX_VALUE_CHARACTERS and _NUMBER.fullmatch(text) is not None


def properties_of(package: dict[str, Any]) -> dict[str, str]:
    """The customer metadata properties of a described package."""
    properties: dict[str, str] = package.get("CustomerMetadataProperties", {})
    return properties


def metrics_of(package: dict[str, Any]) -> dict[str, str]:
    """The recorded metrics: name to value, as text."""
    return {
        name.removeprefix(METRIC_PREFIX): value
        for name, value in properties_of(package).items()
        if name.startswith(METRIC_PREFIX)
    }


def find(sagemaker: Any, arn: str) -> dict[str, Any] | None:
    """Describe a package; ``None`` when it does not exist."""
    try:
        package: dict[str, Any] = sagemaker.describe_model_package(ModelPackageName=arn)
    except ClientError as error:
        if error_code(error) not in {"ValidationException", "ResourceNotFound"}:
            raise
        logs.info("model package does not exist", model_package=arn)
        return None
    return package


def mark(sagemaker: Any, arn: str, status: str, description: str, properties: dict[str, str] | None = None) -> None:
    """Set a package's approval status and the reason; ``properties`` are added to the existing ones."""
    added = {name: property_value(value) for name, value in (properties or {}).items()}
    sagemaker.update_model_package(
        ModelPackageArn=arn,
        ModelApprovalStatus=status,
        ApprovalDescription=description[:MAX_DESCRIPTION_CHARACTERS],
        **({"CustomerMetadataProperties": added} if added else {}),
    )
    logs.info("model package marked", model_package=arn, status=status)


def add_properties(sagemaker: Any, arn: str, properties: dict[str, str]) -> None:
    """Add properties to a package, and keep the existing ones."""
    added = {name: property_value(value) for name, value in properties.items()}
    sagemaker.update_model_package(ModelPackageArn=arn, CustomerMetadataProperties=added)


def parsed(text: str | None) -> float | None:
    """A recorded metric as a number, which may be ``nan`` or infinite; ``None`` when it is not a number."""
    return float(text) if text is not None and _is_number(text) else None


def number(text: str | None) -> float | None:
    """A recorded metric as a finite number; ``None`` when it is not a finite number."""
    value = parsed(text)
    return value if value is not None and math.isfinite(value) else None


def short(text: str) -> str:
    """A recorded metric as short text for people; a text that is not a number is unchanged."""
    value = number(text)
    return text if value is None else f"{value:.6g}"
