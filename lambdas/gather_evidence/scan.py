"""What ECR's scan of the image has found, as text for the approver, and whether that needs a reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from handler_kit.errors import error_code
from handler_kit.images import parts
from handler_kit.settings import NONE

if TYPE_CHECKING:
    from collections.abc import Callable

# Basic scanning ends with the first, and enhanced scanning goes on in the second.
# https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_ImageScanStatus.html
_SCANNED = ("COMPLETE", "ACTIVE")
_SEVERITIES = ("CRITICAL", "HIGH", "MEDIUM", "LOW")


@dataclass(frozen=True)
class Scan:
    """The scan of an image.

    Attributes:
        text: What it has found.
        reason: Why the approver must give a reason, or ``none``.
    """

    text: str
    reason: str


def scan_of(image: str, limit: float | None, ecr: Callable[[], Any]) -> Scan:
    """Read the findings of the image's digest; ``limit`` is ``None`` where nobody reads them."""
    found = parts(image)
    if limit is None or found is None:
        return Scan("not read", NONE)
    try:
        answer = ecr().describe_image_scan_findings(
            registryId=found["account"],
            repositoryName=found["repository"],
            imageId={"imageDigest": found["digest"]},
            maxResults=1,
        )
    except ClientError as error:
        if error_code(error) != "ScanNotFoundException":
            raise
        return _unscanned("ECR has not scanned it: its repository has no scan on push")
    status = answer.get("imageScanStatus", {})
    if status.get("status") not in _SCANNED:
        why = f": {status['description']}" if status.get("description") else ""
        return _unscanned(f"its scan is {status.get('status', 'unknown')}{why}")
    counts = answer.get("imageScanFindings", {}).get("findingSeverityCounts", {})
    told = [f"{counts[name]} {name.lower()}" for name in _SEVERITIES if counts.get(name)]
    critical = counts.get("CRITICAL", 0)
    text = f"{', '.join(told)} findings" if told else "no findings"
    if critical <= limit:
        return Scan(text, NONE)
    return Scan(text, f"{critical} critical findings in the image, more than max_critical_findings ({limit:g})")


def _unscanned(why: str) -> Scan:
    return Scan(why, f"the image may have critical findings: {why}")
