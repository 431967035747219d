"""What a pipeline created and Terraform does not know: find it, and delete it in the order that AWS allows."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from ..errors import MlopsError
from .clients import code_of, explained
from .made import Made, Patience
from .made_commits import used_repository
from .made_data import KeptData
from .made_orphans import Orphans
from .made_running import Running
from .made_stacks import Stacks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .pipeline import DeployedPipeline

# What an execution was making when it was stopped is found at the next look.
_LOOKS = 5


class Teardown:
    """Deletes what a pipeline created at run time, so that ``terraform destroy`` can follow.

    The stacks are deleted before the roles that they were deployed with, which Terraform deletes; a model package group
    can only be deleted when it is empty. Nothing is remembered between two calls: a teardown that was interrupted
    anywhere is repeated.
    """

    def __init__(self, pipeline: DeployedPipeline, *, data: bool = False, patience: Patience | None = None) -> None:
        """Prepare a teardown.

        Args:
            pipeline: The pipeline.
            data: Also delete data sets, models, records, captured requests, images, logs of endpoints and a CodeCommit
                repository that people have committed to, in buckets and repositories that the pipeline created. In
                an existing artifact bucket, only the pipeline's own folders.
            patience: How long it waits for AWS; None for as long as the pipeline needs.
        """
        self._pipeline = pipeline
        patience = Patience.with_pipeline(pipeline) if patience is None else patience
        self._running = Running(pipeline, patience)
        self._orphans = Orphans(pipeline, patience)
        self._stacks = Stacks(pipeline, patience, self._orphans.delete_directly)
        self._kept = KeptData(pipeline) if data else None

    def found(self) -> list[Made]:
        """List what exists, in the order of the deletion.

        Raises:
            MlopsError: when AWS refuses.
        """
        with explained(f"what {self._pipeline.name} created could not be looked up"):
            return [
                *self._running.executions(),
                *self._running.jobs(),
                *self._stacks.found(),
                *self._orphans.found(set(self._stacks.resources())),
                *self._packages(),
                *([] if self._kept is None else [*self._kept.found(), *used_repository(self._pipeline)]),
            ]

    def run(self, tell: Callable[[Made], None] = lambda made: None) -> list[Made]:
        """Delete everything, until nothing is found any more; return what was deleted.

        The pipeline takes no more executions from then on, until ``cancel``.

        Args:
            tell: Is called before each deletion.

        Raises:
            MlopsError: when something could not be deleted; the rest is then still there, and a repetition goes on.
        """
        self._running.take_no_more()
        deleted: list[Made] = []
        for _ in range(_LOOKS):
            found = self.found()
            if not found:
                return deleted
            for made in found:
                tell(made)
                made.delete()
                deleted.append(made)
        left = ", ".join(f"{one.kind} {one.name}" for one in found)
        raise MlopsError(f"something creates again what is deleted: {left}. Find out what it is, then run this again")

    def cancel(self) -> None:
        """Let the pipeline take executions again, because it is not destroyed after all."""
        self._running.take_again()

    def _packages(self) -> Iterator[Made]:
        from botocore.exceptions import ClientError

        sagemaker = self._pipeline.client("sagemaker")
        pages = sagemaker.get_paginator("list_model_packages").paginate(ModelPackageGroupName=self._pipeline.name)
        try:
            arns = [one["ModelPackageArn"] for page in pages for one in page["ModelPackageSummaryList"]]
        except ClientError as error:
            # The group is deleted already.
            if code_of(error) not in ("ValidationException", "ResourceNotFound"):
                raise
            return
        for arn in arns:
            yield Made("model package", arn, partial(self._delete_package, arn))

    def _delete_package(self, arn: str) -> None:
        from botocore.exceptions import ClientError

        sagemaker = self._pipeline.client("sagemaker")
        with explained(f"the model package {arn} could not be deleted"):
            try:
                sagemaker.delete_model_package(ModelPackageName=arn)
            except ClientError as error:
                # It is deleted meanwhile, perhaps by an earlier request whose answer was lost.
                if code_of(error) not in ("ValidationException", "ResourceNotFound") or self._has_package(arn):
                    raise

    def _has_package(self, arn: str) -> bool:
        return arn in [one.name for one in self._packages()]
