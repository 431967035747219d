"""The CodeBuild project that turns the team's repository into an image."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from constructs import Construct

from ..._aws.policy import allow, through
from ..._aws.role import ServiceRole
from ...config._image_uri import is_ecr_image
from ...provider import cloudwatch_log_group, codebuild_project
from .found_image import image_by_uri

if TYPE_CHECKING:
    from ..._aws.environment import Environment
    from ..._aws.policy import Statement

# SageMaker rejects OCI manifests, and an image index with the attestations that BuildKit adds by default.
# https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-containers-inference-private.html
# https://github.com/aws/amazon-sagemaker-feedback/issues/180
MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
# An immutable tag cannot be pushed twice: a rebuild of the same commit uses the image that exists already.
BUILDSPEC = {
    "version": 0.2,
    "env": {"shell": "bash", "exported-variables": ["IMAGE_DIGEST"]},
    "phases": {
        "pre_build": {
            "commands": [
                'aws ecr get-login-password | docker login --username AWS --password-stdin "$REGISTRY"',
            ]
        },
        "build": {
            "commands": [
                'if aws ecr describe-images --repository-name "$REPOSITORY_NAME" --image-ids "imageTag=$IMAGE_TAG" '
                '> /dev/null 2>&1; then echo "Commit $IMAGE_TAG is built already"; else '
                # Without quotes, so that it adds no empty argument when it is not set.
                "docker build --provenance=false --sbom=false $BASE_IMAGE_ARGUMENT "
                '--tag "$REPOSITORY_URI:$IMAGE_TAG" . && docker push "$REPOSITORY_URI:$IMAGE_TAG"; fi'
            ]
        },
        "post_build": {
            "commands": [
                'test "$CODEBUILD_BUILD_SUCCEEDING" = 1',
                'MEDIA_TYPE=$(aws ecr describe-images --repository-name "$REPOSITORY_NAME" '
                '--image-ids "imageTag=$IMAGE_TAG" --query "imageDetails[0].imageManifestMediaType" --output text)',
                f'test "$MEDIA_TYPE" = {MANIFEST} || (echo "SageMaker takes images with a manifest of the type '
                f"{MANIFEST} alone, and $IMAGE_TAG has $MEDIA_TYPE. Delete it from the repository, and build it "
                'with a Docker engine that writes Docker manifests."; exit 1)',
                'IMAGE_DIGEST=$(aws ecr describe-images --repository-name "$REPOSITORY_NAME" '
                '--image-ids "imageTag=$IMAGE_TAG" --query "imageDetails[0].imageDigest" --output text)',
                'aws ssm put-parameter --overwrite --type String --name "$IMAGE_PARAMETER" '
                '--value "$REPOSITORY_URI@$IMAGE_DIGEST"',
            ]
        },
    },
}


class ImageBuild(Construct):
    """The project, its log group and its role, which can push to one ECR repository only.

    Attributes:
        project: The CodeBuild project.
        name: Its name, a literal.
        arn: Its ARN, known before it is created.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        env: Environment,
        repository_name: str,
        repository_uri: str,
        image_parameter: str,
        base_image: str | None,
    ) -> None:
        """Make the project.

        Args:
            scope: Construct it belongs to.
            id_: Construct id.
            env: Where it is deployed.
            repository_name: Name of the ECR repository to push to, in this account and region.
            repository_uri: Its URI.
            image_parameter: Name of the SSM parameter to write the image URI to, with its digest.
            base_image: Build argument ``BASE_IMAGE``, or None for the default in the Dockerfile.
        """
        super().__init__(scope, id_)
        stores = env.stores
        self._env, self._base_image = env, base_image
        self.name = f"{env.name}-image"
        self.arn = env.arn("codebuild", f"project/{self.name}")
        log_group = f"/aws/codebuild/{self.name}"
        logs = cloudwatch_log_group.CloudwatchLogGroup(
            self, "logs", name=log_group, retention_in_days=env.log_retention_in_days, kms_key_id=stores.key_arn
        )
        role = ServiceRole(self, "role", env, "codebuild", "build")
        granted = role.grant(self._permissions(log_group, repository_name, image_parameter))
        self.project = codebuild_project.CodebuildProject(
            self,
            "project",
            name=self.name,
            description="Builds the algorithm's image and pushes it to ECR",
            service_role=role.arn,
            build_timeout=30,
            encryption_key=stores.key_arn,
            source=codebuild_project.CodebuildProjectSource(
                type="CODEPIPELINE", buildspec=json.dumps(BUILDSPEC, indent=2)
            ),
            artifacts=codebuild_project.CodebuildProjectArtifacts(type="CODEPIPELINE"),
            environment=self._environment(repository_name, repository_uri, image_parameter),
            logs_config=codebuild_project.CodebuildProjectLogsConfig(
                cloudwatch_logs=codebuild_project.CodebuildProjectLogsConfigCloudwatchLogs(group_name=log_group)
            ),
            depends_on=[logs, *granted],
        )
        role.used_by(self.project)

    def _environment(
        self, repository_name: str, repository_uri: str, image_parameter: str
    ) -> codebuild_project.CodebuildProjectEnvironment:
        env, base = self._env, self._base_image
        variables = {
            "REGISTRY": env.registry_host(),
            "REPOSITORY_NAME": repository_name,
            "REPOSITORY_URI": repository_uri,
            "IMAGE_PARAMETER": image_parameter,
            **({} if base is None else {"BASE_IMAGE_ARGUMENT": f"--build-arg=BASE_IMAGE={base}"}),
        }
        return codebuild_project.CodebuildProjectEnvironment(
            compute_type="BUILD_GENERAL1_SMALL",
            image="aws/codebuild/amazonlinux-x86_64-standard:5.0",
            type="LINUX_CONTAINER",
            # Docker builds need it.
            privileged_mode=True,
            environment_variable=[
                codebuild_project.CodebuildProjectEnvironmentEnvironmentVariable(name=key, value=value)
                for key, value in variables.items()
            ],
        )

    def _permissions(self, log_group: str, repository_name: str, image_parameter: str) -> list[Statement]:
        env, stores = self._env, self._env.stores
        return [
            allow(["logs:CreateLogStream", "logs:PutLogEvents"], f"{env.arn('logs', f'log-group:{log_group}')}:*"),
            # To read the code only: the build writes no artifact.
            allow(["s3:GetObject", "s3:GetObjectVersion"], stores.passed_on(f"{env.name}-image")),
            # CodeBuild uses the key for more only when a build writes artifacts.
            # https://docs.aws.amazon.com/codebuild/latest/userguide/setting-up-kms.html
            allow("kms:Decrypt", stores.key_arn, when=through(stores.region, "s3")),
            # The login token of ECR takes no resource, hence `*`.
            allow("ecr:GetAuthorizationToken", "*"),
            allow(
                [
                    "ecr:BatchCheckLayerAvailability",
                    "ecr:BatchGetImage",
                    "ecr:CompleteLayerUpload",
                    "ecr:DescribeImages",
                    "ecr:InitiateLayerUpload",
                    "ecr:PutImage",
                    "ecr:UploadLayerPart",
                ],
                env.arn("ecr", f"repository/{repository_name}"),
            ),
            allow("ssm:PutParameter", env.arn("ssm", f"parameter{image_parameter}")),
            *self._pull_base_image(),
        ]

    def _pull_base_image(self) -> list[Statement]:
        """Allow pulling the base image when it is in ECR, in the registry that the build logs in to."""
        if self._base_image is None or not is_ecr_image(self._base_image):
            return []
        repository = image_by_uri(self._env, self._base_image).pull_arn
        return [
            allow(["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"], repository)
        ]
