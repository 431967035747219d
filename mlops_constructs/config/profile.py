"""Sets of arguments that fit together: for a sandbox, for a team, for a regulated company."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypedDict

from .approval import Approval
from .autoscaling import Autoscaling
from .data_capture import DataCapture
from .endpoint import Endpoint
from .notebook import Notebook
from .rollout import Rollout
from .training import Training

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Unpack

    from .ab_test import ABTest
    from .alarms import Alarms
    from .batch import BatchTransform
    from .cost import Cost
    from .evaluation import Evaluation
    from .existing import Existing
    from .monitoring import Monitoring
    from .network import Network
    from .tuning import Tuning

# CloudWatch's nearest value to the seven years that most record-keeping rules require.
_SEVEN_YEARS = 2557


class OptionsWithoutNetwork(TypedDict, total=False):
    """The optional arguments of ``MLOpsPipeline`` except ``network``; a test proves that none is missing."""

    training: Training
    tuning: Tuning | None
    evaluation: Evaluation
    dev: Endpoint
    production: Endpoint
    ab_test: ABTest | None
    batch: BatchTransform | None
    monitoring: Monitoring | None
    alarms: Alarms
    approval: Approval
    cost: Cost
    notebook: Notebook | None
    existing: Existing
    name_prefix: str | None
    tags: Mapping[str, str]
    permissions_boundary_arn: str | None
    role_path: str
    log_retention_in_days: int
    removal: Literal["retain", "destroy"]


class Options(OptionsWithoutNetwork, total=False):
    """The optional arguments of ``MLOpsPipeline``; see there."""

    network: Network | None


class Profile:
    """Arguments for ``MLOpsPipeline`` that fit together: ``MLOpsPipeline(self, "churn", ..., **Profile.sandbox())``.

    Each profile accepts the same optional arguments as ``MLOpsPipeline``; a given argument overrides the profile's.
    """

    @staticmethod
    def sandbox(**own: Unpack[Options]) -> Options:
        """To experiment and delete everything afterwards: one small instance, short retention, no data kept.

        No autoscaling and no rollback alarms; approvals expire after an hour, logs after a month; ``destroy`` deletes
        the data too.
        """
        defaults: Options = {
            "training": Training(instance_type="ml.m5.large"),
            "production": Endpoint(),
            "approval": Approval(timeout_in_minutes=60),
            "notebook": Notebook(idle_timeout_in_minutes=30),
            "log_retention_in_days": 30,
            "removal": "destroy",
        }
        return {**defaults, **own}

    @staticmethod
    def team(**own: Unpack[Options]) -> Options:
        """For a product team: the defaults of ``MLOpsPipeline``."""
        return own

    @staticmethod
    def regulated(*, network: Network, **own: Unpack[OptionsWithoutNetwork]) -> Options:
        """For a bank or a hospital: a VPC, everything kept and recorded, slow rollouts with alarms.

        Logs are kept for seven years, every production request is captured, three instances, traffic is shifted in
        steps of 10 percent, approvals expire after a week, and there is no notebook unless one with a subnet is given.

        Args:
            network: The VPC for all SageMaker jobs and endpoints.
            own: Any other argument of ``MLOpsPipeline``, instead of the profile's.
        """
        defaults: Options = {
            "network": network,
            "production": Endpoint(
                initial_instance_count=3,
                autoscaling=Autoscaling(min_capacity=3, max_capacity=9),
                rollout=Rollout.linear(step_percent=10, wait_interval_in_seconds=600),
                data_capture=DataCapture(sampling_percentage=100),
            ),
            "approval": Approval(timeout_in_minutes=7 * 24 * 60),
            "notebook": None,
            "log_retention_in_days": _SEVEN_YEARS,
            "removal": "retain",
        }
        return {**defaults, **own}
