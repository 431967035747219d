"""How the endpoints of a pipeline serve: AWS does something else with the roles of each mode."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from mlops_constructs.local_aws.iam.documents import Policy

_SIZES = ("sagemaker:ServerlessMaxConcurrency", "sagemaker:ServerlessMemorySize")


@dataclass(frozen=True)
class Serving:
    """How one endpoint serves.

    Attributes:
        mode: ``real-time``, ``serverless`` or ``asynchronous``.
        sizes: Condition keys of a serverless endpoint's configuration, and the most that each may be.
        topics: The notifications of an asynchronous endpoint, ``success`` and ``error``, to the ARNs of their topics.
    """

    mode: str
    sizes: Mapping[str, str] = field(default_factory=dict)
    topics: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, parameters: Mapping[str, str], policies: Iterable[Policy]) -> Serving:
        """Read it from what the endpoint's stack always gets, and from the policies of the role that deploys it."""
        if "AsyncInferenceUri" in parameters:
            found = {kind: parameters.get(f"{kind.title()}Topic", "") for kind in ("success", "error")}
            return cls("asynchronous", topics={kind: topic for kind, topic in found.items() if topic})
        # A serverless endpoint has no volumes, so its stack gets no key.
        if "KmsKeyArn" in parameters:
            return cls("real-time")
        statements = (statement for policy in policies for statement in policy.statements)
        conditions = (condition for statement in statements for condition in statement.conditions)
        return cls("serverless", {one.key: one.values[0] for one in conditions if one.key in _SIZES})

    @property
    def has_instances(self) -> bool:
        """Whether there are instances, which have volumes and may be scaled."""
        return self.mode != "serverless"

    def placeholders(self, stage: str, key: str) -> Iterator[tuple[str, str]]:
        """Give placeholders and what they stand for; nothing where a row is about another mode.

        Args:
            stage: ``dev`` or ``production``.
            key: ARN of the pipeline's KMS key.
        """
        yield f"{{{self.mode}: {stage}}}", stage
        if self.mode != "asynchronous":
            yield f"{{at once: {stage}}}", stage
        if self.has_instances:
            yield f"{{volume key: {stage}}}", key
        for kind, topic in self.topics.items():
            yield f"{{{kind} topic: {stage}}}", topic
