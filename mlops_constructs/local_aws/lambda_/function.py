"""A function version, with the settings that are needed to run it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlops_constructs.local_aws.service import AwsError

if TYPE_CHECKING:
    from mlops_constructs.local_aws.service import Params


@dataclass(frozen=True)
class Function:
    """A function version, with the settings that are needed to run it."""

    arn: str
    name: str
    version: str
    handler: str
    role: str
    timeout_seconds: int
    memory: int
    sha256: str
    variables: tuple[tuple[str, str], ...]

    @classmethod
    def from_configuration(cls, configuration: Params) -> Function:
        """Read moto's configuration. Raises `AwsError` for a function that the local AWS cannot run."""
        if configuration.get("PackageType", "Zip") != "Zip" or configuration.get("Layers"):
            raise AwsError("NotImplementedException", "the local AWS supports neither layers nor container images")
        if not configuration["Runtime"].startswith("python"):
            raise AwsError("NotImplementedException", f"the local AWS does not run {configuration['Runtime']}")
        return cls(
            arn=configuration["FunctionArn"],
            name=configuration["FunctionName"],
            version=configuration["Version"],
            handler=configuration["Handler"],
            role=configuration["Role"],
            timeout_seconds=configuration["Timeout"],
            memory=configuration["MemorySize"],
            sha256=configuration["CodeSha256"],
            variables=tuple(sorted(configuration.get("Environment", {}).get("Variables", {}).items())),
        )

    @property
    def log_group(self) -> str:
        """The log group of its output."""
        return f"/aws/lambda/{self.name}"
