"""What the function reads from its environment and from the action."""

from __future__ import annotations

from dataclasses import dataclass

from handler_kit.golden_limits import Limits
from handler_kit.settings import ParamsBase


@dataclass(frozen=True)
class Settings(Limits):
    """
    Attributes:
        confidence_level: How sure it must be that production's model is better, for the test to fail; empty for no
            comparison.
        production_endpoint: The endpoint that is invoked with the same records; empty for none.
        accept: ``Accept`` header of the invocations: ``text/csv``, or the JSON type of a built-in algorithm.
    """

    confidence_level: float | None
    production_endpoint: str | None
    accept: str


@dataclass(frozen=True)
class Params(ParamsBase):
    """
    Attributes:
        endpoint: The endpoint to test.
        golden_uri: S3 URI of the golden records; with ``none``, the endpoint is not invoked.
        image: The image that the endpoint must run.
        model_data_url: The model data that the endpoint must run.
        model_package_arn: The model package of that model; optional.
        release: Number of the release that is deployed again, or ``none``; optional.
    """

    endpoint: str
    golden_uri: str
    image: str
    model_data_url: str
    model_package_arn: str | None = None
    release: str | None = None
