"""One CodePipeline: its role, its stages, and the rules that start it."""

from __future__ import annotations

import json
from types import MappingProxyType
from typing import TYPE_CHECKING

from constructs import Construct

from ..errors import ConfigError, Problem
from ..provider import cloudwatch_event_rule, cloudwatch_event_target, codepipeline
from .definition import definition_problems
from .events import dead_letters
from .keys import use_key_for_artifacts
from .naming import artifact_folder
from .policy import allow
from .role import ServiceRole

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from .._cdk import TerraformResource
    from .actions import PipelineStage, Variable
    from .environment import Environment
    from .policy import Statement
    from .stores import Stores


class Pipeline(Construct):
    """A V2 pipeline that runs its executions one after the other, in the order of their start.

    Attributes:
        pipeline: The CodePipeline.
        name: Its name, a literal.
        arn: Its ARN.
        role: Its role.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        name: str,
        purpose: str,
        env: Environment,
        stages: Sequence[PipelineStage],
        permissions: Sequence[Statement],
        variables: Sequence[Variable] = (),
        pushes: Mapping[str, str] = MappingProxyType({}),
        after: Sequence[TerraformResource] = (),
    ) -> None:
        """Make the pipeline.

        Args:
            scope: Construct it belongs to.
            id_: Construct id.
            name: Name of the pipeline.
            purpose: Last part of the names of its role and of its rules' role.
            env: Where it is deployed.
            stages: Its stages, sources first.
            permissions: What its actions need; those for artifacts and key are added.
            variables: Variables that can be set when an execution is started.
            pushes: Source action to branch, for sources that use a connection: each push starts an execution.
            after: Resources that must exist before CodePipeline starts the new pipeline by itself.

        Raises:
            ConfigError: When CodePipeline would reject the definition.
        """
        problems = [problem for stage in stages for problem in stage.problems()]
        problems += definition_problems(stages, variables)
        problems += _folder_problems(name, env.artifact_folders)
        if problems:
            raise ConfigError(f"CodePipeline {name}", problems)
        super().__init__(scope, id_)
        stores = env.stores
        env.artifact_folders[artifact_folder(name)] = name
        self.name, self._stages = name, [stage.name for stage in stages]
        self._env, self._purpose = env, purpose
        self.role = ServiceRole(self, "role", env, "codepipeline", purpose)
        granted = self.role.grant(
            [
                *_pass_artifacts_on(name, stores),
                *permissions,
            ]
        )
        self.pipeline = codepipeline.Codepipeline(
            self,
            "pipeline",
            name=name,
            role_arn=self.role.arn,
            pipeline_type="V2",
            execution_mode="QUEUED",
            artifact_store=[
                codepipeline.CodepipelineArtifactStore(
                    location=stores.artifact_bucket,
                    type="S3",
                    encryption_key=codepipeline.CodepipelineArtifactStoreEncryptionKey(id=stores.key_arn, type="KMS"),
                )
            ],
            stage=[stage.to_terraform() for stage in stages],
            variable=[variable.to_terraform() for variable in variables] or None,
            trigger=[_on_push(action, branch) for action, branch in pushes.items()] or None,
            depends_on=[*granted, *after],
        )
        self.role.used_by(self.pipeline)
        self.arn: str = self.pipeline.arn

    @property
    def second_stage(self) -> str:
        """Name of its second stage: an execution makes nothing before it."""
        return self._stages[1]

    def start_on(
        self,
        id_: str,
        pattern: Mapping[str, object],
        *,
        input_paths: Mapping[str, str] | None = None,
        input_template: str | None = None,
        enabled: bool = True,
    ) -> None:
        """Start an execution for every event that matches the pattern.

        Args:
            id_: Construct id of the rule; its name ends with it.
            pattern: EventBridge event pattern.
            input_paths: Name to JSON path in the event.
            input_template: Arguments of StartPipelineExecution, with ``<name>`` for each path.
            enabled: Whether the rule is enabled.
        """
        role = ServiceRole(self, f"{id_}_role", self._env, "events", f"start-{self._purpose}")
        role.grant([allow("codepipeline:StartPipelineExecution", self.arn)])
        name = f"{self.name}-{id_.replace('_', '-')}"
        if enabled:
            self._env.rules.append(name)
        rule = cloudwatch_event_rule.CloudwatchEventRule(
            self,
            id_,
            name=name,
            event_pattern=json.dumps(pattern),
            state=None if enabled else "DISABLED",
        )
        transformer = None
        if input_template is not None:
            transformer = cloudwatch_event_target.CloudwatchEventTargetInputTransformer(
                input_paths=dict(input_paths or {}), input_template=input_template
            )
        cloudwatch_event_target.CloudwatchEventTarget(
            self,
            f"{id_}_target",
            rule=rule.name,
            target_id="pipeline",
            arn=self.arn,
            role_arn=role.arn,
            input_transformer=transformer,
            dead_letter_config=dead_letters(self._env),
        )


def _pass_artifacts_on(name: str, stores: Stores) -> list[Statement]:
    """Allow what CodePipeline needs in its artifact store, according to its documentation.

    A source action copies the object with its tags, which is denied without the permissions for tags.
    https://docs.aws.amazon.com/codepipeline/latest/userguide/how-to-custom-role.html
    """
    objects = [
        "s3:GetObject",
        "s3:GetObjectTagging",
        "s3:GetObjectVersion",
        "s3:GetObjectVersionTagging",
        "s3:PutObject",
        "s3:PutObjectAcl",
        "s3:PutObjectTagging",
    ]
    return [
        allow(objects, stores.passed_on(name)),
        allow(["s3:GetBucketAcl", "s3:GetBucketLocation", "s3:GetBucketVersioning"], stores.artifact_bucket_arn),
        use_key_for_artifacts(stores.key_arn),
    ]


def _folder_problems(name: str, used: Mapping[str, str]) -> Iterator[Problem]:
    """Refuse a second pipeline with the same folder: the roles of each could replace the artifacts of the other."""
    folder = artifact_folder(name)
    if folder in used:
        rule = f"must differ from {used[folder]!r} in its first {len(folder)} characters"
        yield Problem("name", rule, name, "choose another name: CodePipeline's artifact folder is named after it")


def _on_push(action: str, branch: str) -> codepipeline.CodepipelineTrigger:
    push = codepipeline.CodepipelineTriggerGitConfigurationPush(
        branches=codepipeline.CodepipelineTriggerGitConfigurationPushBranches(includes=[branch])
    )
    return codepipeline.CodepipelineTrigger(
        provider_type="CodeStarSourceConnection",
        git_configuration=codepipeline.CodepipelineTriggerGitConfiguration(source_action_name=action, push=[push]),
    )
