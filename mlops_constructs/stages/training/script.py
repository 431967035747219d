"""The record of the script that the next training uses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..._aws.naming import source_parameter
from ...provider import ssm_parameter

if TYPE_CHECKING:
    from constructs import Construct

    from ..._aws.environment import Environment
    from ..._aws.function import Function
    from ..._script_source import PackedSource


def source_record(
    scope: Construct, env: Environment, source: PackedSource, train_model: Function
) -> ssm_parameter.SsmParameter:
    """Make the SSM parameter with the digest of the source that the next training uses."""
    return ssm_parameter.SsmParameter(
        scope,
        "source",
        name=source_parameter(env.name),
        description="SHA-256 of the script's source that the next training uses",
        type="String",
        value=source.sha256,
        # Its change starts a training, which must have the new source.
        depends_on=[train_model.function],
    )
