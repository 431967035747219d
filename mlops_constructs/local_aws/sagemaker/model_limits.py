"""What an instance takes of a model: its volume, and the time of the download."""

from __future__ import annotations

import math
import re
import tarfile
from typing import TYPE_CHECKING

from mlops_constructs.local_aws.containers.images import ContainerError

if TYPE_CHECKING:
    from pathlib import Path

    from mlops_constructs.local_aws.service import Params

GIGABYTE = 1024**3
DEFAULT_VOLUME_SIZE_IN_GB = 30
"""https://docs.aws.amazon.com/sagemaker/latest/dg/large-model-inference-hosting.html"""
_NVME = re.compile(r"ml\.(?:[a-z]+\d+[a-z]*d[a-z]*|g[4-9]e?|p[4-9][a-z]*(?:-[a-z0-9]+)?|trn\w+)\.")
"""Instance types with disks of their own. https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/InstanceStorage.html"""
BYTES_PER_SECOND = math.inf
"""How fast a model is downloaded; a test can be slower."""


def check_download(uri: str, size: int, variant: Params) -> None:
    """Raise ContainerError when an archive takes longer than ModelDataDownloadTimeoutInSeconds."""
    limit = variant.get("ModelDataDownloadTimeoutInSeconds")
    if limit is not None and size / BYTES_PER_SECOND > limit:
        raise ContainerError(f'Failed to download model data from URL "{uri}" within {limit} seconds.')


def check_volume(uri: str, archive: Path, variant: Params) -> None:
    """Raise ContainerError when an archive and what is in it do not fit on the volume of the instance.

    An instance with a disk of its own has no such volume, and takes no VolumeSizeInGB.
    https://docs.aws.amazon.com/sagemaker/latest/dg/host-instance-storage.html
    """
    if _NVME.match(variant.get("InstanceType", "")):
        return
    limit = variant.get("VolumeSizeInGB", DEFAULT_VOLUME_SIZE_IN_GB) * GIGABYTE
    needed = archive.stat().st_size
    try:
        with tarfile.open(archive, "r:*") as tar:
            for member in tar:
                needed += member.size
                if needed > limit:
                    break
    except (tarfile.TarError, EOFError, OSError):
        return  # what is no archive is refused when it is extracted
    if needed > limit:
        raise ContainerError(
            f'Failed to extract model data archive from URL "{uri}". The model data archive is too large. Please reduce'
            " the size of the model data archive or move to an instance type with more memory."
        )
