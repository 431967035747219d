"""The model registry: every candidate becomes a model package."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs import Construct

from ..provider import sagemaker_model_package_group

if TYPE_CHECKING:
    from .._aws.environment import Environment


class RegistryStage(Construct):
    """The group that holds the pipeline's model packages.

    Attributes:
        group: The model package group.
        name: Its name, a literal.
        group_arn: Its ARN.
        packages_arn: Pattern for the ARNs of its packages.
    """

    def __init__(self, scope: Construct, id_: str, *, env: Environment) -> None:
        """Make the group."""
        super().__init__(scope, id_)
        self.name = env.name
        self.group = sagemaker_model_package_group.SagemakerModelPackageGroup(
            self,
            "group",
            model_package_group_name=env.name,
            model_package_group_description=f"Candidates of the MLOps pipeline {env.name}",
        )
        self.group_arn: str = self.group.arn
        self.packages_arn = env.arn("sagemaker", f"model-package/{env.name}/*")
