"""The data of a pipeline: objects in its buckets, the images that it built, and the logs of its endpoints."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING

from ..errors import MlopsError
from .clients import code_of, explained
from .made import Made

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .pipeline import DeployedPipeline

# A CodePipeline's artifact folder is the first characters of its name.
# https://docs.aws.amazon.com/codepipeline/latest/userguide/troubleshooting.html
_FOLDER_CHARACTERS = 20
# DeleteObjects and BatchDeleteImage accept at most this many.
_OBJECTS, _IMAGES = 1000, 100


class KeptData:
    """What only `mlops teardown --data` deletes."""

    def __init__(self, pipeline: DeployedPipeline) -> None:
        """Prepare; nothing is called yet."""
        self._pipeline = pipeline

    def found(self) -> Iterator[Made]:
        """Return it: of an existing bucket, only the pipeline's own folders; of an existing data bucket, nothing."""
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
        for group in self._log_groups():
            yield Made("log group", group, partial(self._delete_log_group, group))

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

    def _log_groups(self) -> Iterator[str]:
        """Return the log groups that SageMaker makes for endpoints; jobs of all pipelines share theirs."""
        for stack in self._pipeline.stacks:
            name = f"/aws/sagemaker/Endpoints/{stack}"
            for page in (
                self._pipeline.client("logs").get_paginator("describe_log_groups").paginate(logGroupNamePrefix=name)
            ):
                yield from (one["logGroupName"] for one in page["logGroups"] if one["logGroupName"] == name)

    def _delete_log_group(self, name: str) -> None:
        from botocore.exceptions import ClientError

        with explained(f"the log group {name} could not be deleted"):
            try:
                self._pipeline.client("logs").delete_log_group(logGroupName=name)
            except ClientError as error:
                if code_of(error) != "ResourceNotFoundException":
                    raise
