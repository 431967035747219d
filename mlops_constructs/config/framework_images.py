"""AWS's framework images, as the SageMaker SDK's registry lists them; ``docs/generate_images.py`` writes the data."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ._instances import processor_of

if TYPE_CHECKING:
    from collections.abc import Mapping

Scope = Literal["training", "inference"]


@dataclass(frozen=True, slots=True)
class FrameworkImage:
    """One of AWS's images of a framework.

    Attributes:
        repository: Name of its ECR repository, the same in every region.
        tags: Processor (``cpu``, ``gpu``) to the tag of its image.
        accounts: Region to the account whose registry has the image, for every region that offers it.
        python: Version of Python, such as ``py312``, or None where the SDK does not say it.
        end_of_patches: Day after which AWS patches it no more, such as ``2027-07-16``, or None if it is not known.
    """

    repository: str
    tags: Mapping[str, str]
    accounts: Mapping[str, str]
    python: str | None
    end_of_patches: str | None

    def place(self, instance_type: str) -> str:
        """Return repository and tag for an instance type."""
        return f"{self.repository}:{self.tags[processor_of(instance_type)]}"


def frameworks() -> list[str]:
    """Return the names of the frameworks."""
    return list(_content()["frameworks"])


def versions_of(framework: str, scope: Scope) -> list[str]:
    """Return the versions of a framework that AWS has images of, the oldest first."""
    return list(_content()["frameworks"][framework][scope])


def find_image(framework: str, scope: Scope, version: str) -> FrameworkImage | None:
    """Return AWS's image of a version, or None."""
    found = _content()["frameworks"].get(framework, {}).get(scope, {}).get(version)
    if found is None:
        return None
    return FrameworkImage(
        repository=found["repository"],
        tags=found["tags"],
        accounts=_content()["accounts"][found["accounts"]],
        python=found.get("python"),
        end_of_patches=found.get("end_of_patches"),
    )


@cache
def _content() -> dict[str, Any]:
    content: dict[str, Any] = json.loads(Path(__file__).with_name("framework_images.json").read_text(encoding="utf-8"))
    return content
