"""What the mutation run lets pass, each with its reason."""

from __future__ import annotations

import re


class Exceptions:
    """Reasons, by patterns of what they are about."""

    def __init__(self, reasons: dict[str, str]) -> None:
        self._reasons = {re.compile(pattern): reason for pattern, reason in reasons.items()}

    def reason(self, name: str) -> str:
        """Give the reason why something may pass; empty where there is none."""
        return next((reason for pattern, reason in self._reasons.items() if pattern.fullmatch(name)), "")

    def unused(self, names: set[str]) -> list[str]:
        """Give the patterns that none of these names has."""
        return [pattern.pattern for pattern in self._reasons if not any(map(pattern.fullmatch, names))]

    def reasons(self) -> tuple[str, ...]:
        """Give all reasons."""
        return tuple(self._reasons.values())


SURVIVORS = Exceptions(
    {
        r"\{role: notebook\} \S+, drop action s3:(ListBucket|GetObject|GetObjectVersion) on arn:aws:s3:::\{data\}(/\*)?"
        r"|\{role: notebook\} \S+, narrow resource arn:aws:s3:::\{data\}/\* of s3:GetObject,s3:GetObjectVersion": (
            "A person reads data sets on the notebook instance, with cells of their own."
        ),
        r"\{role: training\} \S+, drop action s3:DeleteObject on arn:aws:s3:::\{artifacts\}/checkpoints/\S+": (
            "SageMaker 'syncs' the folder of the checkpoints with S3; AWS's page does not say whether it deletes there"
            " what `train` has deleted. https://docs.aws.amazon.com/sagemaker/latest/dg/model-checkpoints.html"
        ),
    }
)
"""Changes that nothing notices, by a pattern of their names."""
