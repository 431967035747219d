"""The algorithm's image: where it comes from, how it is built, and which image is used now."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from constructs import Construct

from ..._aws.actions import Action, PipelineStage
from ..._aws.naming import source_parameter
from ..._aws.pipeline import Pipeline
from ..._aws.policy import allow
from ..._cdk import Annotations, TerraformResourceLifecycle
from ...config._image_uri import tag_warning
from ...provider import codecommit_repository, ecr_repository, ssm_parameter
from .build import ImageBuild
from .code_source import CODE, SOURCE_CODE, CodeSource, codecommit_source, connection_source
from .connection import Connection
from .found_image import FoundImage, builtin_image, image_by_uri
from .retraining import Retraining
from .script_images import script_images
from .seed import seed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ..._aws.environment import Environment
    from ..._cdk import TerraformResource
    from ...config import Algorithm

# Value of the parameter until the first build ends.
NO_IMAGE = "none"


class ImageStage(Construct):
    """The image that trains and serves: built from the team's repository, or an existing image.

    Attributes:
        parameter: SSM parameter with the image that the next training uses, with its digest when it is built here.
        parameter_name: Its name, a literal.
        repository: CodeCommit repository that is created here, or None.
        connection: Connection to GitHub, GitLab or Bitbucket that is created here, or None.
        registry: ECR repository that is created here, or None.
        pipeline: The image pipeline, or None when nothing is built.
        retraining: Function and rule that start the ML pipeline when the image changes, or None.
        pull_arn: ARN of the ECR repository that training pulls from, for its policies.
        serving: The image that serves, where it is another than the one that trains, or None.
    """

    def __init__(
        self, scope: Construct, id_: str, *, config: Algorithm, env: Environment, training_type: str, serving_type: str
    ) -> None:
        """Make the parameter and, for an algorithm that is built here, everything that builds its image.

        Args:
            scope: Construct it belongs to; ``id_`` is its id in there.
            config: The algorithm.
            env: Where it is deployed.
            training_type: Instance type that trains; AWS's images differ by processor.
            serving_type: Instance type that serves.
        """
        super().__init__(scope, id_)
        self._env = env
        self.parameter_name = f"/{env.name}/image"
        self.repository: codecommit_repository.CodecommitRepository | None = None
        self.connection: Connection | None = None
        self.registry: ecr_repository.EcrRepository | None = None
        self.pipeline: Pipeline | None = None
        self.retraining: Retraining | None = None
        if config.retrain_on_new_image:
            script = None if config.script is None else source_parameter(env.name)
            self.retraining = Retraining(
                self, "retraining", env=env, image_parameter=self.parameter_name, source_parameter=script
            )
        self.serving: FoundImage | None = None
        found = self._found(config, training_type, serving_type)
        self.parameter = self._parameter(found)
        if found is not None:
            self.pull_arn = found.pull_arn
            return
        name, uri, self.pull_arn = self._push_to(config.ecr_repository_name)
        source, seeded = self._source(config)
        build = ImageBuild(
            self,
            "build",
            env=env,
            repository_name=name,
            repository_uri=uri,
            image_parameter=self.parameter_name,
            base_image=config.base_image,
        )
        self.pipeline = self._pipeline(source, build, after=seeded)

    @property
    def serving_pull_arn(self) -> str:
        """ARN of the ECR repository that serving pulls from, for its policies."""
        return self.pull_arn if self.serving is None else self.serving.pull_arn

    def _found(self, config: Algorithm, training_type: str, serving_type: str) -> FoundImage | None:
        if config.script is not None:
            images = script_images(self, self._env, config.script, training_type, serving_type)
            self.serving = images.serving
            return images.training
        if config.built_in is not None:
            return builtin_image(self, self._env, config.built_in)
        if config.image_uri is None:
            return None
        warning = tag_warning(config.image_uri)
        if warning is not None:
            Annotations.of(self).add_warning(warning)
        return image_by_uri(self._env, config.image_uri)

    def _parameter(self, found: FoundImage | None) -> ssm_parameter.SsmParameter:
        lifecycle = None
        if found is None:
            # After the first apply, only the build changes the value.
            lifecycle = TerraformResourceLifecycle(ignore_changes=["value"])
        elif preconditions := [*found.preconditions, *(() if self.serving is None else self.serving.preconditions)]:
            lifecycle = TerraformResourceLifecycle(precondition=preconditions)
        return ssm_parameter.SsmParameter(
            self,
            "parameter",
            name=self.parameter_name,
            description="Image that the next training and its endpoints use",
            type="String",
            value=NO_IMAGE if found is None else found.uri,
            lifecycle=lifecycle,
        )

    def _push_to(self, existing: str | None) -> tuple[str, str, str]:
        """Return the name, URI and ARN of the ECR repository for the build."""
        env = self._env
        if existing is not None:
            return existing, f"{env.registry_host()}/{existing}", env.arn("ecr", f"repository/{existing}")
        self.registry = ecr_repository.EcrRepository(
            self,
            "registry",
            name=env.name,
            image_tag_mutability="IMMUTABLE",
            force_delete=not env.retain,
            encryption_configuration=[
                ecr_repository.EcrRepositoryEncryptionConfiguration(encryption_type="KMS", kms_key=env.stores.key_arn)
            ],
            image_scanning_configuration=ecr_repository.EcrRepositoryImageScanningConfiguration(scan_on_push=True),
        )
        return env.name, self.registry.repository_url, self.registry.arn

    def _source(self, config: Algorithm) -> tuple[CodeSource, Sequence[TerraformResource]]:
        """Return the source, and what must exist before the new pipeline starts by itself."""
        env = self._env
        if config.git is not None:
            arn = config.git.connection_arn
            if arn is None:
                self.connection = Connection(
                    self, "connection", env=env, provider_type=str(config.git.provider_type), repository=config.git.name
                )
                arn = self.connection.arn
            return connection_source(arn, config.git.name, config.branch), []
        if config.codecommit_repository is not None:
            return codecommit_source(env, config.codecommit_repository, config.branch), []
        assert config.directory is not None
        # The repository is seeded first, so that the automatic start of the new pipeline is the first build.
        return codecommit_source(env, env.name, config.branch), self._seeded(config.directory, config.branch)

    def _seeded(self, directory: Path, branch: str) -> list[TerraformResource]:
        env = self._env
        self.repository = codecommit_repository.CodecommitRepository(
            self,
            "repository",
            repository_name=env.name,
            description=f"Algorithm of the MLOps pipeline {env.name}",
        )
        return [seed(self, directory=directory, repository=self.repository, branch=branch, env=env)]

    def _pipeline(self, source: CodeSource, build: ImageBuild, *, after: Sequence[TerraformResource]) -> Pipeline:
        action = Action(
            name="Build",
            category="Build",
            action_provider="CodeBuild",
            namespace="Build",
            inputs=[SOURCE_CODE],
            configuration={
                "ProjectName": build.name,
                "EnvironmentVariables": json.dumps([{"name": "IMAGE_TAG", "value": f"#{{{CODE}.CommitId}}"}]),
            },
        )
        pipeline = Pipeline(
            self,
            "delivery",
            name=f"{self._env.name}-image",
            purpose="image-pipeline",
            env=self._env,
            stages=[PipelineStage("Source", [source.action]), PipelineStage("Build", [action])],
            permissions=[
                *source.permissions,
                allow(["codebuild:StartBuild", "codebuild:BatchGetBuilds"], build.arn),
            ],
            pushes=source.pushes,
            after=after,
        )
        if source.push_event is not None:
            pipeline.start_on("on_push", source.push_event)
        return pipeline
