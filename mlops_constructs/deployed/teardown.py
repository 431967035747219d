"""What a pipeline created and Terraform does not know: find it, and delete it in the order that AWS allows."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from ..errors import MlopsError
from .clients import code_of, explained

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from .pipeline import DeployedPipeline

_POLL_SECONDS = 2.0
_RUNNING = ("InProgress", "Stopping")
# A CodePipeline's artifact folder is the first characters of its name.
# https://docs.aws.amazon.com/codepipeline/latest/userguide/troubleshooting.html
_FOLDER_CHARACTERS = 20
# DeleteObjects and BatchDeleteImage accept at most this many.
_OBJECTS, _IMAGES = 1000, 100


@dataclass(frozen=True, slots=True)
class Made:
    """One thing that the pipeline created.

    Attributes:
        kind: ``execution``, ``stack``, ``model package``, ``objects`` or ``images``.
        name: Its name or location.
        delete: Deletes it, and waits until it is deleted.
    """

    kind: str
    name: str
    delete: Callable[[], None] = field(repr=False, compare=False)


class Teardown:
    """Deletes what a pipeline created at run time, so that ``terraform destroy`` can follow.

    The stacks are deleted before the roles that they were deployed with, which Terraform deletes; a model package group
    can only be deleted when it is empty. What is deleted already is skipped, so a teardown can be repeated.
    """

    def __init__(
        self,
        pipeline: DeployedPipeline,
        *,
        data: bool = False,
        pause: Callable[[float], None] = time.sleep,
        poll_seconds: float = _POLL_SECONDS,
    ) -> None:
        """Prepare a teardown.

        Args:
            pipeline: The pipeline.
            data: Also delete data sets, models, records, captured requests and images, in buckets and repositories that
                the pipeline created. In an existing artifact bucket, only the pipeline's own folders.
            pause: Waits between polls.
            poll_seconds: How long it waits, in seconds.
        """
        self._pipeline, self._data = pipeline, data
        self._pause, self._poll_seconds = pause, poll_seconds

    def found(self) -> list[Made]:
        """List what exists, in the order of the deletion.

        Raises:
            MlopsError: when a stack is being updated, or AWS refuses.
        """
        with explained(f"what {self._pipeline.name} created could not be looked up"):
            return [*self._executions(), *self._stacks(), *self._packages(), *(self._kept() if self._data else [])]

    def _executions(self) -> Iterator[Made]:
        """Return the running executions, which would create again what is deleted."""
        image = self._pipeline.image_pipeline
        for name in (self._pipeline.name, *([] if image is None else [image])):
            pages = self._pipeline.client("codepipeline").get_paginator("list_pipeline_executions")
            for page in pages.paginate(pipelineName=name):
                for one in page["pipelineExecutionSummaries"]:
                    if one["status"] in _RUNNING:
                        id_ = one["pipelineExecutionId"]
                        yield Made("execution", f"{name}/{id_}", partial(self._stop, name, id_))

    def _stop(self, pipeline: str, execution_id: str) -> None:
        codepipeline = self._pipeline.client("codepipeline")
        asked = {"pipelineName": pipeline, "pipelineExecutionId": execution_id}

        def status() -> str:
            return str(codepipeline.get_pipeline_execution(**asked)["pipelineExecution"]["status"])

        with explained(f"the execution {execution_id} could not be stopped"):
            if status() == "InProgress":
                codepipeline.stop_pipeline_execution(**asked, abandon=True, reason="mlops teardown")
            while status() in _RUNNING:
                self._pause(self._poll_seconds)

    def _stacks(self) -> Iterator[Made]:
        for name in reversed(self._pipeline.stacks):
            stack = self._stack(name)
            if stack is None:
                continue
            status: str = stack["StackStatus"]
            if status.endswith("_IN_PROGRESS") and status not in ("DELETE_IN_PROGRESS", "REVIEW_IN_PROGRESS"):
                raise MlopsError(f"the stack {name} is {status}: wait until it has finished, then run this again")
            yield Made("stack", name, partial(self._delete_stack, name, stack["StackId"]))

    def _stack(self, name: str) -> Mapping[str, Any] | None:
        from botocore.exceptions import ClientError

        try:
            stack: Mapping[str, Any] = self._pipeline.client("cloudformation").describe_stacks(StackName=name)[
                "Stacks"
            ][0]
        except ClientError as error:
            if code_of(error) == "ValidationError" and "does not exist" in str(error):
                return None
            raise
        return stack

    def _delete_stack(self, name: str, stack_id: str) -> None:
        with explained(f"the stack {name} could not be deleted"):
            self._pipeline.client("cloudformation").delete_stack(StackName=stack_id)
            # Unlike by its name, a deleted stack can still be described by its id.
            while (stack := self._stack(stack_id)) is not None and stack["StackStatus"] != "DELETE_COMPLETE":
                if stack["StackStatus"] == "DELETE_FAILED":
                    raise MlopsError(
                        f"the stack {name} is DELETE_FAILED: {stack.get('StackStatusReason', 'no reason')}"
                    )
                self._pause(self._poll_seconds)

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
        with explained(f"the model package {arn} could not be deleted"):
            self._pipeline.client("sagemaker").delete_model_package(ModelPackageName=arn)

    def _kept(self) -> Iterator[Made]:
        pipeline = self._pipeline
        for bucket in dict.fromkeys([pipeline.data_bucket, pipeline.artifact_bucket]):
            owned = self._is_own(bucket)
            if not owned and bucket != pipeline.artifact_bucket:
                continue
            if next(self._versions(bucket, everything=owned), None) is not None:
                yield Made(
                    "objects",
                    f"s3://{bucket}" if owned else f"s3://{bucket}, folders of {pipeline.name}",
                    partial(self._empty, bucket, everything=owned),
                )
        if self._image_ids():
            yield Made("images", pipeline.name, self._delete_images)

    def _is_own(self, bucket: str) -> bool:
        """Tell whether the pipeline created a bucket: its name then begins with the pipeline's."""
        return (
            re.fullmatch(rf"{re.escape(self._pipeline.name)}-(data|artifacts)-\d{{12}}-[a-z0-9-]+", bucket) is not None
        )

    def _versions(self, bucket: str, *, everything: bool) -> Iterator[list[dict[str, str]]]:
        """Return the versions and delete markers to delete, page by page."""
        pages = self._pipeline.client("s3").get_paginator("list_object_versions").paginate(Bucket=bucket)
        for page in pages:
            found = [
                {"Key": one["Key"], "VersionId": one["VersionId"]}
                for one in (*page.get("Versions", []), *page.get("DeleteMarkers", []))
                if everything or self._is_own_key(one["Key"])
            ]
            if found:
                yield found

    def _is_own_key(self, key: str) -> bool:
        name = self._pipeline.name
        folder, _, rest = key.partition("/")
        return folder in {one[:_FOLDER_CHARACTERS] for one in (name, f"{name}-image")} or rest.startswith(f"{name}/")

    def _empty(self, bucket: str, *, everything: bool) -> None:
        s3 = self._pipeline.client("s3")
        with explained(f"the bucket {bucket} could not be emptied"):
            for versions in self._versions(bucket, everything=everything):
                for start in range(0, len(versions), _OBJECTS):
                    some = {"Objects": versions[start : start + _OBJECTS], "Quiet": True}
                    failed = s3.delete_objects(Bucket=bucket, Delete=some).get("Errors", [])
                    if failed:
                        one = failed[0]
                        raise MlopsError(
                            f"{len(failed)} objects of {bucket} could not be deleted; the first is"
                            f" {one.get('Key')!r}: {one.get('Code')}: {one.get('Message')}"
                        )

    def _image_ids(self) -> list[dict[str, str]]:
        from botocore.exceptions import ClientError

        pages = self._pipeline.client("ecr").get_paginator("list_images").paginate(repositoryName=self._pipeline.name)
        try:
            return [image for page in pages for image in page["imageIds"]]
        except ClientError as error:
            # It created no repository.
            if code_of(error) != "RepositoryNotFoundException":
                raise
            return []

    def _delete_images(self) -> None:
        name, ids = self._pipeline.name, self._image_ids()
        with explained(f"the images of {name} could not be deleted"):
            for start in range(0, len(ids), _IMAGES):
                self._pipeline.client("ecr").batch_delete_image(
                    repositoryName=name, imageIds=ids[start : start + _IMAGES]
                )
