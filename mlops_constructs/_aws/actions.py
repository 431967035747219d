"""CodePipeline actions as plain values, so that a stage can describe its part without knowing the pipeline."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import Problem, under
from ..provider import codepipeline

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

# https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_ActionDeclaration.html
MAX_VALUE_LENGTH = 1000
# What stands for a value that only Terraform knows; an ARN of ours has at most about 200 characters.
ARN_LENGTH = 200
_TOKEN = re.compile(r"\$\{TfToken\[[^\]]+\]\}")
# A variable that CodePipeline fills in for every execution.
EXECUTION_ID = "#{codepipeline.PipelineExecutionId}"
# A variable that whoever starts an execution may set: the release to deploy again. ``none`` in all others.
RELEASE_VARIABLE = "Release"
RELEASE = f"#{{variables.{RELEASE_VARIABLE}}}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One action of a stage.

    Attributes:
        name: Shown in the console and in failures.
        category: ``Source``, ``Build``, ``Invoke``, ``Deploy`` or ``Approval``.
        action_provider: ``S3``, ``CodeCommit``, ``CodeStarSourceConnection``, ``CodeBuild``, ``Lambda``,
            ``CloudFormation`` or ``Manual``.
        configuration: As the action's reference says; values of at most 1,000 characters.
        run_order: Actions of a stage run in this order; equal numbers together.
        namespace: Name that later actions use for this action's variables.
        inputs: Artifacts it reads.
        outputs: Artifacts it writes.
        timeout_minutes: Of a manual approval.
    """

    name: str
    category: str
    action_provider: str
    configuration: Mapping[str, str]
    run_order: int = 1
    namespace: str | None = None
    inputs: Sequence[str] = ()
    outputs: Sequence[str] = ()
    timeout_minutes: int | None = None

    def problems(self) -> Iterator[Problem]:
        """Yield the values that are longer than CodePipeline takes, which Terraform would learn at apply only.

        A variable of CodePipeline counts as it is written; what Terraform fills in counts as an ARN.
        """
        for key, value in self.configuration.items():
            length = len(_TOKEN.sub("." * ARN_LENGTH, value))
            if length > MAX_VALUE_LENGTH:
                rule = f"must have at most {MAX_VALUE_LENGTH} characters"
                yield Problem(f"{self.name}.{key}", rule, length, "shorten the names in it")

    def to_terraform(self) -> codepipeline.CodepipelineStageAction:
        """Give the struct that the provider's binding takes."""
        return codepipeline.CodepipelineStageAction(
            name=self.name,
            category=self.category,
            owner="AWS",
            provider=self.action_provider,
            version="1",
            configuration=dict(self.configuration),
            run_order=self.run_order,
            namespace=self.namespace,
            input_artifacts=list(self.inputs) or None,
            output_artifacts=list(self.outputs) or None,
            timeout_in_minutes=self.timeout_minutes,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """A value that whoever starts an execution may give."""

    name: str
    default: str
    description: str

    def to_terraform(self) -> codepipeline.CodepipelineVariable:
        """Give the struct that the provider's binding takes."""
        return codepipeline.CodepipelineVariable(
            name=self.name, default_value=self.default, description=self.description
        )


@dataclass(frozen=True, slots=True)
class PipelineStage:
    """A named group of actions."""

    name: str
    actions: Sequence[Action]

    def problems(self) -> Iterator[Problem]:
        """Yield what is wrong with its actions."""
        for action in self.actions:
            yield from under(self.name, action.problems())

    def to_terraform(self) -> codepipeline.CodepipelineStage:
        """Give the struct that the provider's binding takes."""
        return codepipeline.CodepipelineStage(name=self.name, action=[action.to_terraform() for action in self.actions])


def invoke(
    name: str,
    function_name: str,
    *,
    parameters: Mapping[str, str],
    run_order: int = 1,
    namespace: str | None = None,
    outputs: Sequence[str] = (),
) -> Action:
    """Make an action that calls a Lambda function with ``parameters`` as its UserParameters."""
    return Action(
        name=name,
        category="Invoke",
        action_provider="Lambda",
        configuration={
            "FunctionName": function_name,
            "UserParameters": json.dumps(dict(parameters), separators=(",", ":")),
        },
        run_order=run_order,
        namespace=namespace,
        outputs=outputs,
    )
