"""CodePipeline actions as plain values: a stage describes its actions without depending on the pipeline."""

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
# The length that is assumed for a value that only Terraform knows; the pipeline's ARNs have at most about 200.
ARN_LENGTH = 200
_REFERENCE = re.compile(r"\$\{[^}]*\}")
# A variable that CodePipeline sets in every execution.
EXECUTION_ID = "#{codepipeline.PipelineExecutionId}"
# A variable that the caller may set when it starts an execution: the release to deploy again. By default ``none``.
RELEASE_VARIABLE = "Release"
RELEASE = f"#{{variables.{RELEASE_VARIABLE}}}"
# The same for what the execution does to an A/B test: ``promote``, ``abort`` or by default ``none``.
AB_TEST_VARIABLE = "ABTest"
AB_TEST = f"#{{variables.{AB_TEST_VARIABLE}}}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One action of a stage.

    Attributes:
        name: Name of the action, shown in the console and in error messages.
        category: ``Source``, ``Build``, ``Invoke``, ``Deploy`` or ``Approval``.
        action_provider: ``S3``, ``CodeCommit``, ``CodeStarSourceConnection``, ``CodeBuild``, ``Lambda``,
            ``CloudFormation`` or ``Manual``.
        configuration: The keys that the action's reference lists; each value has at most 1,000 characters.
        run_order: Actions of a stage run in this order; actions with the same number run in parallel.
        namespace: Name that later actions use for this action's variables.
        inputs: Artifacts that it reads.
        outputs: Artifacts that it writes.
        timeout_minutes: Timeout of a manual approval, in minutes.
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
        """Yield the values that are too long for CodePipeline; Terraform would report them at apply only.

        A variable of CodePipeline counts as written; a value that only Terraform knows counts as an ARN.
        """
        for key, value in self.configuration.items():
            length = len(_REFERENCE.sub("." * ARN_LENGTH, value))
            if length > MAX_VALUE_LENGTH:
                rule = f"must have at most {MAX_VALUE_LENGTH} characters"
                yield Problem(f"{self.name}.{key}", rule, length, "shorten the names in it")

    def to_terraform(self) -> codepipeline.CodepipelineStageAction:
        """Return the struct of the Terraform provider's bindings."""
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
    """A pipeline variable: a value that the caller may set when it starts an execution."""

    name: str
    default: str
    description: str

    def to_terraform(self) -> codepipeline.CodepipelineVariable:
        """Return the struct of the Terraform provider's bindings."""
        return codepipeline.CodepipelineVariable(
            name=self.name, default_value=self.default, description=self.description
        )


@dataclass(frozen=True, slots=True)
class PipelineStage:
    """A named group of actions."""

    name: str
    actions: Sequence[Action]

    def problems(self) -> Iterator[Problem]:
        """Yield the problems of its actions."""
        for action in self.actions:
            yield from under(self.name, action.problems())

    def to_terraform(self) -> codepipeline.CodepipelineStage:
        """Return the struct of the Terraform provider's bindings."""
        return codepipeline.CodepipelineStage(name=self.name, action=[action.to_terraform() for action in self.actions])


def invoke(
    name: str,
    function_name: str,
    *,
    parameters: Mapping[str, str],
    run_order: int = 1,
    namespace: str | None = None,
    inputs: Sequence[str] = (),
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
        inputs=inputs,
        outputs=outputs,
    )
