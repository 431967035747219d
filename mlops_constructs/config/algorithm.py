"""The algorithm: where its container comes from."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ._algorithm_fields import AlgorithmFields
from ._image_uri import tag_warning
from .builtin import BuiltinAlgorithm
from .git import GitRepository
from .script import ScriptAlgorithm

if TYPE_CHECKING:
    from .git import ProviderType
    from .script import Framework


@dataclass(frozen=True, slots=True, kw_only=True)
class Algorithm(AlgorithmFields):
    """The container that trains and serves. Made by ``builtin`` or one of the ``from_`` methods.

    Attributes:
        directory: Folder with a ``Dockerfile``, or None. Literal.
        codecommit_repository: Name of an existing CodeCommit repository, or None. Reference.
        git: Repository on GitHub, GitLab or Bitbucket, or None.
        image_uri: URI of an existing image, or None. Reference.
        built_in: A built-in algorithm of SageMaker, or None.
        script: A script that one of AWS's framework images runs, or None.
        branch: Branch of the repository that is built. Literal.
        ecr_repository_name: Existing ECR repository that the build pushes to, in this account and region. Its tags
            should be immutable. None creates one. Reference.
        base_image: Image that the build starts from, as the build argument ``BASE_IMAGE`` of the Dockerfile, such as
            your own mirror. A private registry must be in this account and region. None keeps the Dockerfile's own.
            Literal.
        retrain_on_new_image: Start the pipeline when the image changes, on the newest data set for which training was
            attempted; without such a data set, nothing starts. An execution that has not trained yet uses the new
            image in any case. Literal.
    """

    @classmethod
    def from_directory(
        cls,
        path: str | Path,
        *,
        branch: str = "main",
        ecr_repository_name: str | None = None,
        base_image: str | None = None,
        retrain_on_new_image: bool = False,
    ) -> Algorithm:
        """Seed a CodeCommit repository from a folder; each push to ``branch`` builds a new image.

        The folder is copied into the repository once, when the repository is created. After that, the repository
        is the source of truth.

        Args:
            path: Folder with a ``Dockerfile``; relative to the current folder.
            branch: Branch to seed and to build.
            ecr_repository_name, base_image, retrain_on_new_image: As the attributes.
        """
        return cls(
            # What is no path is reported together with all other problems.
            directory=Path(path).absolute() if isinstance(path, (str, Path)) else path,
            branch=branch,
            ecr_repository_name=ecr_repository_name,
            base_image=base_image,
            retrain_on_new_image=retrain_on_new_image,
        )

    @classmethod
    def from_codecommit(
        cls,
        repository_name: str,
        branch: str = "main",
        *,
        ecr_repository_name: str | None = None,
        base_image: str | None = None,
        retrain_on_new_image: bool = False,
    ) -> Algorithm:
        """Build from an existing CodeCommit repository in this account and region.

        Its root folder contains a ``Dockerfile``. The deployment starts the first build; each
        push to ``branch`` starts another.

        Args:
            repository_name: Name of the repository. Reference.
            branch: Branch to build.
            ecr_repository_name, base_image, retrain_on_new_image: As in ``from_directory``.
        """
        return cls(
            codecommit_repository=repository_name,
            branch=branch,
            ecr_repository_name=ecr_repository_name,
            base_image=base_image,
            retrain_on_new_image=retrain_on_new_image,
        )

    @classmethod
    def from_connection(
        cls,
        connection_arn: str,
        repository: str,
        branch: str = "main",
        *,
        ecr_repository_name: str | None = None,
        base_image: str | None = None,
        retrain_on_new_image: bool = False,
    ) -> Algorithm:
        """Build from GitHub, GitLab or Bitbucket, through an existing connection.

        The repository's root folder contains a ``Dockerfile``; each push to ``branch`` builds a
        new image. CodePipeline offers this source in many regions, but not in all: not in us-gov-west-1, for example.
        https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CodestarConnectionSource.html

        Args:
            connection_arn: ARN of the connection, which a person must have completed. Reference.
            repository: ``owner/repository``.
            branch: Branch to build.
            ecr_repository_name, base_image, retrain_on_new_image: As in ``from_directory``.
        """
        return cls(
            git=GitRepository(name=repository, connection_arn=connection_arn),
            branch=branch,
            ecr_repository_name=ecr_repository_name,
            base_image=base_image,
            retrain_on_new_image=retrain_on_new_image,
        )

    @classmethod
    def from_git(
        cls,
        provider_type: ProviderType,
        repository: str,
        branch: str = "main",
        *,
        ecr_repository_name: str | None = None,
        base_image: str | None = None,
        retrain_on_new_image: bool = False,
    ) -> Algorithm:
        """Build from GitHub, GitLab or Bitbucket, through a connection that the pipeline creates.

        A new connection is PENDING. A person completes it once, in the console; the stack's output ``connection``
        says how. Until then the image pipeline fails at its source action, with that reason.

        Args:
            provider_type: ``GitHub``, ``GitLab`` or ``Bitbucket``.
            repository: As in ``from_connection``, which also names the regions.
            branch: Branch to build.
            ecr_repository_name, base_image, retrain_on_new_image: As in ``from_directory``.
        """
        return cls(
            git=GitRepository(name=repository, provider_type=provider_type),
            branch=branch,
            ecr_repository_name=ecr_repository_name,
            base_image=base_image,
            retrain_on_new_image=retrain_on_new_image,
        )

    @classmethod
    def from_image(cls, image_uri: str, *, retrain_on_new_image: bool = False) -> Algorithm:
        """Use an existing image; nothing is built.

        Args:
            image_uri: ``<account>.dkr.ecr.<region>.amazonaws.com/<repository>@sha256:<digest>``, in the pipeline's
                region. A tag works too, with a warning, because it can later name another image. Training uses the
                digest that the tag names at that time, and serving uses the same digest. Reference.
            retrain_on_new_image: Start the pipeline when a deployment has changed ``image_uri``; otherwise as in
                ``from_directory``.
        """
        warning = tag_warning(image_uri)
        if warning is not None:
            warnings.warn(warning, stacklevel=2)
        return cls(image_uri=image_uri, retrain_on_new_image=retrain_on_new_image)

    @classmethod
    def builtin(cls, name: str, version: str, *, retrain_on_new_image: bool = False) -> Algorithm:
        """Use a built-in algorithm of SageMaker; nothing is built.

        The image is looked up for the stack's region, including AWS GovCloud (US); in a region without the algorithm
        the plan fails. Data is CSV of numbers with the label first. SageMaker defines the algorithm's metrics, so do
        not set ``Training.metric_definitions``; ``Evaluation.metric`` must be one of the algorithm's metrics.
        https://docs.aws.amazon.com/sagemaker/latest/dg/algos.html

        Args:
            name: ``xgboost``, ``linear-learner`` or ``knn``.
            version: Such as ``1.7-1`` for ``xgboost``; ``1`` for the others.
            retrain_on_new_image: Start the pipeline when a deployment has changed the version; otherwise as in
                ``from_directory``.
        """
        return cls(built_in=BuiltinAlgorithm(name=name, version=version), retrain_on_new_image=retrain_on_new_image)

    @classmethod
    def from_script(
        cls,
        entry_point: str,
        *,
        source: str | Path,
        framework: Framework,
        version: str,
        python: str | None = None,
        inference_entry_point: str | None = None,
        inference_version: str | None = None,
        inference_image_uri: str | None = None,
        retrain_on_new_source: bool = False,
    ) -> Algorithm:
        """Run a script in AWS's image of its framework, as the SageMaker SDK's estimators do; nothing is built.

        The source reaches each training job as the channel ``code``, and the model with its endpoints in the folder
        ``code`` of ``model.tar.gz``. Hyperparameters are the script's arguments. Endpoints have no network, so they
        serve with the packages of AWS's image and of the source.
        https://docs.aws.amazon.com/sagemaker/latest/dg/frameworks.html

        Args:
            entry_point: The script that trains, relative to ``source``.
            source: Folder of the script and of what it imports; relative to the current folder. At most 20 MiB.
            framework: ``huggingface``, ``pytorch``, ``sklearn``, ``tensorflow`` or ``xgboost``.
            version: Version of AWS's image that trains, such as ``1.9-0`` for ``sklearn``; of Hugging Face's
                transformers for ``huggingface``.
            python: Its version of Python, such as ``py312``, to have it checked.
            inference_entry_point: The file with ``model_fn`` and the other functions that serve; None for
                ``inference.py`` if there is one, otherwise ``entry_point``.
            inference_version: Version of AWS's image that serves; None for ``version``. For PyTorch, AWS has 2.6 and
                older only, and stopped patching them on 30 June 2026.
            inference_image_uri: URI of an image that serves instead, in the pipeline's region: your own, or one of
                AWS's large-model images. Reference.
            retrain_on_new_source: Start the pipeline when a deployment has changed the source or the version;
                otherwise as in ``from_directory``.
        """
        script = ScriptAlgorithm(
            entry_point=entry_point,
            source=Path(source).absolute() if isinstance(source, (str, Path)) else source,
            framework=framework,
            version=version,
            python=python,
            inference_entry_point=inference_entry_point,
            inference_version=inference_version,
            inference_image_uri=inference_image_uri,
        )
        return cls(script=script, retrain_on_new_image=retrain_on_new_source)
