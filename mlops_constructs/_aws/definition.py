"""Checks at synth for what CodePipeline would reject in a pipeline's definition, or would fail on later."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..errors import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .actions import Action, PipelineStage, Variable

# Variables that a source action sets, by provider. A function chooses its variables itself, and so does a buildspec;
# the variables of a CloudFormation action are the outputs of the stack. All other actions set none.
# https://docs.aws.amazon.com/codepipeline/latest/userguide/reference-variables.html
# https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-S3.html
SOURCE_VARIABLES = {
    "S3": {"BucketName", "ETag", "ObjectKey", "VersionId"},
    "CodeCommit": {"AuthorDate", "BranchName", "CommitId", "CommitMessage", "CommitterDate", "RepositoryName"},
    "CodeStarSourceConnection": {
        "AuthorDate",
        "BranchName",
        "CommitId",
        "CommitMessage",
        "ConnectionArn",
        "FullRepositoryName",
    },
}
_CHOOSE_THEIR_OWN = {"CloudFormation", "CodeBuild", "Lambda"}
_REFERENCE = re.compile(r"#\{([^}.]*)\.?([^}]*)\}")
# https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_ActionDeclaration.html
_NAME = re.compile(r"[A-Za-z0-9.@_-]{1,100}")
_NAMESPACE = re.compile(r"[A-Za-z0-9@_-]{1,100}")
_ARTIFACT = re.compile(r"[A-Za-z0-9_-]{1,100}")


def definition_problems(stages: Sequence[PipelineStage], variables: Sequence[Variable]) -> Iterator[Problem]:
    """Yield what CodePipeline would reject in these stages, in the order of the actions."""
    placed = [(stage.name, action) for stage in stages for action in stage.actions]
    yield from _form(placed)
    yield from _twice("stage", [(stage.name, stage.name) for stage in stages])
    yield from _twice("action", [(f"{stage}.{one.name}", f"{stage}.{one.name}") for stage, one in placed])
    yield from _twice(
        "namespace", [(f"{stage}.{one.name}.namespace", one.namespace) for stage, one in placed if one.namespace]
    )
    yield from _twice(
        "output artifact",
        [(f"{stage}.{one.name}.outputs", output) for stage, one in placed for output in one.outputs],
    )
    yield from _overlap(placed)
    yield from _references(stages, {variable.name for variable in variables})


def _form(placed: Sequence[tuple[str, Action]]) -> Iterator[Problem]:
    for stage, action in placed:
        named = [("name", _NAME, action.name)]
        named += [("namespace", _NAMESPACE, action.namespace)] if action.namespace is not None else []
        named += [("artifact", _ARTIFACT, name) for name in (*action.inputs, *action.outputs)]
        for field, pattern, value in named:
            if pattern.fullmatch(value) is None:
                rule = f"must match {pattern.pattern}"
                yield Problem(f"{stage}.{action.name}.{field}", rule, value, "use letters, digits, '-' and '_'")


def _twice(kind: str, named: Sequence[tuple[str, str]]) -> Iterator[Problem]:
    seen = set()
    for field, name in named:
        if name in seen:
            yield Problem(field, f"the {kind} must be unique in the pipeline", name, "rename one of them")
        seen.add(name)


def _overlap(placed: Sequence[tuple[str, Action]]) -> Iterator[Problem]:
    """Yield the namespaces that have the name of an artifact.

    "Namespaces must be unique across the pipeline definition and cannot conflict with any artifact names."
    https://docs.aws.amazon.com/codepipeline/latest/userguide/reference-variables.html
    """
    artifacts = {name for _, action in placed for name in (*action.inputs, *action.outputs)}
    for stage, action in placed:
        if action.namespace in artifacts:
            yield Problem(
                f"{stage}.{action.name}.namespace",
                "must not be the name of an artifact",
                action.namespace,
                "rename the artifact",
            )


def _references(stages: Sequence[PipelineStage], declared: set[str]) -> Iterator[Problem]:
    """Yield the artifacts and variables that an action uses and no earlier action provides."""
    earlier: list[Action] = []
    for stage in stages:
        for action in stage.actions:
            before = [*earlier, *(one for one in stage.actions if one.run_order < action.run_order)]
            available = {output for one in before for output in one.outputs}
            where = f"{stage.name}.{action.name}"
            for name in action.inputs:
                if name not in available:
                    yield Problem(
                        f"{where}.inputs", "must be an output artifact of an earlier action", name, "correct the name"
                    )
            for key, value in action.configuration.items():
                for namespace, variable in _REFERENCE.findall(value):
                    if not _is_set(namespace, variable, before, declared):
                        yield Problem(
                            f"{where}.{key}",
                            "must name variables that exist when the action runs",
                            f"#{{{namespace}.{variable}}}",
                            "name a variable of an earlier action",
                        )
        earlier += stage.actions


def _is_set(namespace: str, variable: str, before: Sequence[Action], declared: set[str]) -> bool:
    if namespace == "codepipeline":
        return variable == "PipelineExecutionId"
    if namespace == "variables":
        return variable in declared
    for action in before:
        if action.namespace == namespace:
            return action.action_provider in _CHOOSE_THEIR_OWN or variable in SOURCE_VARIABLES.get(
                action.action_provider, ()
            )
    return False
