"""What the function reads from its environment and from the action."""

from __future__ import annotations

from dataclasses import dataclass

from handler_kit.settings import ParamsBase, SettingsBase


@dataclass(frozen=True)
class Settings(SettingsBase):
    """
    Attributes:
        max_latency_ms: Longest 95th percentile of the calls; empty for no limit.
        min_accuracy: Least share of right answers, 0 to 1; empty for no limit.
        accept: What they are answered as: ``text/csv``, or the JSON of a built-in algorithm.
    """

    max_latency_ms: int | None
    min_accuracy: float | None
    accept: str


@dataclass(frozen=True)
class Params(ParamsBase):
    """
    Attributes:
        endpoint: The endpoint to test.
        golden_uri: ``s3://`` address of the golden records; ``none`` to leave the calls out.
        image: The image that must be running.
        model_data_url: The model that must be running.
        model_package_arn: The package of that model, for the log; may be left out.
    """

    endpoint: str
    golden_uri: str
    image: str
    model_data_url: str
    model_package_arn: str | None = None
