"""The team's own algorithm: repository -> build -> image, and which image is used now."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from constructs import Construct

from .._aws.actions import Action, Stage
from .._aws.function import Function
from .._aws.image_build import ImageBuild
from .._aws.pipeline import Pipeline
from .._aws.policy import allow
from .._cdk import AssetType, TerraformAsset
from .._payload import archive, folder_files
from ..provider import (
    codecommit_repository,
    ecr_repository,
    lambda_invocation,
    s3_object,
    ssm_parameter,
)

if TYPE_CHECKING:
    from pathlib import Path

    from .._aws.environment import Environment
    from .._aws.stores import Stores
    from ..config import Algorithm

# In the parameter until the first build ends.
NO_IMAGE = "none"
_SEED_KEY = "seed/container.zip"


class Image(Construct):
    """What trains and serves: an image built from the team's repository, or one that exists already.

    Attributes:
        parameter: SSM parameter with the image that the next training uses, by digest.
        parameter_name: Its name, a literal.
        repository: CodeCommit repository, or None for an image from elsewhere.
        registry: ECR repository, or None for an image from elsewhere.
        pipeline: The image pipeline, or None for an image from elsewhere.
        pull_arn: ECR repository that training and serving pull from, for their policies.
    """

    def __init__(self, scope: Construct, id_: str, *, config: Algorithm, env: Environment, stores: Stores) -> None:
        """Make the parameter, and for an algorithm from a folder everything that builds its image."""
        super().__init__(scope, id_)
        self._env, self._stores, self._branch = env, stores, config.branch
        self.parameter_name = f"/{env.name}/image"
        self.parameter = self._parameter(config.image)
        self.repository: codecommit_repository.CodecommitRepository | None = None
        self.registry: ecr_repository.EcrRepository | None = None
        self.pipeline: Pipeline | None = None
        self.pull_arn = f"arn:{env.partition}:ecr:{env.region}:*:repository/*"
        if config.directory is not None:
            self.registry = self._registry()
            self.pull_arn = self.registry.arn
            self.repository = codecommit_repository.CodecommitRepository(
                self,
                "repository",
                repository_name=env.name,
                description=f"Algorithm of the MLOps pipeline {env.name}",
            )
            seeded = self._seed(config.directory)
            self.pipeline = self._pipeline(seeded)

    def _parameter(self, image: str | None) -> ssm_parameter.SsmParameter:
        built = image is None
        return ssm_parameter.SsmParameter(
            self,
            "parameter",
            name=self.parameter_name,
            description="Image that the next training and its endpoints use",
            type="String",
            value=NO_IMAGE if image is None else image,
            # The build writes it from then on.
            lifecycle={"ignore_changes": ["value"]} if built else None,
        )

    def _registry(self) -> ecr_repository.EcrRepository:
        return ecr_repository.EcrRepository(
            self,
            "registry",
            name=self._env.name,
            image_tag_mutability="IMMUTABLE",
            force_delete=not self._env.retain,
            encryption_configuration=[
                ecr_repository.EcrRepositoryEncryptionConfiguration(encryption_type="KMS", kms_key=self._stores.key_arn)
            ],
            image_scanning_configuration=ecr_repository.EcrRepositoryImageScanningConfiguration(scan_on_push=True),
        )

    def _seed(self, directory: Path) -> lambda_invocation.LambdaInvocation:
        """Put the folder into the new repository, once; a repository with commits is left alone."""
        env, stores = self._env, self._stores
        bundle = archive("container", dict(folder_files(directory)))
        asset = TerraformAsset(self, "source", path=str(bundle.path), type=AssetType.FILE, asset_hash=bundle.sha256)
        source = s3_object.S3Object(
            self,
            "seed",
            bucket=stores.artifact_bucket,
            key=_SEED_KEY,
            source=asset.path,
            source_hash=bundle.sha256,
        )
        repository_arn = env.arn("codecommit", env.name)
        function = Function(
            self,
            "seed_repository",
            folder="seed_repository",
            env=env,
            stores=stores,
            settings={"REPOSITORY": env.name, "BRANCH": self._branch, "SOURCE_BUCKET": stores.artifact_bucket},
            permissions=[
                allow(["codecommit:GetBranch", "codecommit:GetCommit", "codecommit:CreateCommit"], repository_arn),
                allow("s3:GetObject", f"{stores.artifact_bucket_arn}/{_SEED_KEY}"),
            ],
            timeout_seconds=300,
        )
        return lambda_invocation.LambdaInvocation(
            self,
            "seeding",
            function_name=function.name,
            input=json.dumps({"key": _SEED_KEY}),
            # A changed folder is a push, made by a person: the repository is the source of truth from here on.
            lifecycle_scope="CREATE_ONLY",
            depends_on=[source, self.repository, function.function],
        )

    def _pipeline(self, seeded: lambda_invocation.LambdaInvocation) -> Pipeline:
        env = self._env
        assert self.registry is not None
        build = ImageBuild(
            self,
            "build",
            env=env,
            stores=self._stores,
            repository_uri=self.registry.repository_url,
            image_parameter=self.parameter_name,
        )
        repository_arn = env.arn("codecommit", env.name)
        pipeline = Pipeline(
            self,
            "delivery",
            name=f"{env.name}-image",
            purpose="image-pipeline",
            env=env,
            stores=self._stores,
            stages=self._stages(build.name),
            permissions=[
                allow(
                    [
                        "codecommit:GetBranch",
                        "codecommit:GetCommit",
                        "codecommit:GetRepository",
                        "codecommit:GetUploadArchiveStatus",
                        "codecommit:UploadArchive",
                        "codecommit:CancelUploadArchive",
                    ],
                    repository_arn,
                ),
                allow(["codebuild:StartBuild", "codebuild:BatchGetBuilds"], build.arn),
            ],
            # With the repository seeded, the start of the new pipeline is the first build.
            after=[seeded],
        )
        pipeline.start_on(
            "on_push",
            {
                "source": ["aws.codecommit"],
                "detail-type": ["CodeCommit Repository State Change"],
                "resources": [repository_arn],
                "detail": {
                    "event": ["referenceCreated", "referenceUpdated"],
                    "referenceType": ["branch"],
                    "referenceName": [self._branch],
                },
            },
        )
        return pipeline

    def _stages(self, project: str) -> list[Stage]:
        code = Action(
            name="Code",
            category="Source",
            provider="CodeCommit",
            namespace="Code",
            outputs=["Code"],
            configuration={
                "RepositoryName": self._env.name,
                "BranchName": self._branch,
                "PollForSourceChanges": "false",
            },
        )
        build = Action(
            name="Build",
            category="Build",
            provider="CodeBuild",
            namespace="Build",
            inputs=["Code"],
            configuration={
                "ProjectName": project,
                "EnvironmentVariables": json.dumps([{"name": "IMAGE_TAG", "value": "#{Code.CommitId}"}]),
            },
        )
        return [Stage("Source", [code]), Stage("Build", [build])]
