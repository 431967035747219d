"""A configuration without a problem, for the tests of the rules to break."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_constructs import (
    Algorithm,
    Approval,
    ConfigError,
    Dataset,
    Endpoint,
    Evaluation,
    Existing,
    Notebook,
    Training,
)
from mlops_constructs.config import PipelineConfig
from mlops_constructs.config._kinds import fitted, without_followers

if TYPE_CHECKING:
    from mlops_constructs import Problem

CONTAINER = Path(__file__).resolve().parents[1] / "container"
STRING_TOKEN = "${TfToken[TOKEN.3]}"
# As jsii hands over a TerraformVariable's number_value.
NUMBER_TOKEN = -8.109562212591379e298
GOOD: dict[str, Any] = {
    "algorithm": Algorithm.from_directory(CONTAINER),
    "dataset": Dataset(),
    "training": Training(),
    "tuning": None,
    "network": None,
    "evaluation": Evaluation(),
    "dev": Endpoint(),
    "production": Endpoint.for_production(),
    "approval": Approval(),
    "notebook": Notebook(),
    "existing": Existing(),
    "name_prefix": None,
    "tags": {},
    "permissions_boundary_arn": None,
    "role_path": "/",
    "log_retention_in_days": 365,
    "removal": "retain",
}


def found(**changes: Any) -> list[Problem]:
    """Give the problems of the configuration with other parts."""
    try:
        PipelineConfig(**{**GOOD, **changes})
    except ConfigError as error:
        return list(error.problems)
    return []


def problems_of(part: Any) -> list[Problem]:
    """Give the problems of one part by itself."""
    wrong: list[Problem] = []
    fitting = fitted("", type(part), part, wrong)
    return [*wrong, *without_followers(fitting.problems(), wrong)]


def problems(**changes: Any) -> list[str]:
    """Give the lines of the message."""
    return [str(problem) for problem in found(**changes)]
