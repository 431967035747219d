"""The source of a script, as the training toolkit of AWS's images takes it.

https://github.com/aws/sagemaker-training-toolkit
"""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ._payload import folder_files
from .config._script_folder import STARTER
from .config.ranges import json_value
from .config.script import LOG_LEVEL

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .config.script import ScriptAlgorithm

SOURCE = "sourcedir.tar.gz"
# As the SageMaker SDK does for jobs without a network, which cannot read S3.
CHANNEL = "code"
_STARTER = Path(__file__).parent / "stages" / "training" / STARTER
_MODE, _EXECUTABLE = 0o644, 0o755


@dataclass(frozen=True, slots=True)
class PackedSource:
    """The source of a script.

    Attributes:
        archive: Its bytes, equal for equal files.
        sha256: Hex digest of them and of the image that trains.
    """

    archive: bytes
    sha256: str


def packed(script: ScriptAlgorithm, instance_type: str) -> PackedSource:
    """Pack the source with the program that starts it; files are at the top of the archive, as the toolkit expects.

    Args:
        script: The script.
        instance_type: Instance type that trains; AWS's images differ by processor.
    """
    files: dict[str, Path | bytes] = {**folder_files(script.source)}
    starter = _STARTER.read_text(encoding="utf-8")
    files[STARTER] = starter.replace('ENTRY_POINT = "train.py"', f"ENTRY_POINT = {script.entry_point!r}").encode()
    buffer = io.BytesIO()
    # No time, no name and no owner: equal files give equal bytes.
    with (
        gzip.GzipFile(fileobj=buffer, mode="wb", filename="", mtime=0) as zipped,
        tarfile.open(fileobj=zipped, mode="w", format=tarfile.GNU_FORMAT) as bundle,
    ):
        for name, source in sorted(files.items()):
            content = source.read_bytes() if isinstance(source, Path) else source
            member = tarfile.TarInfo(name)
            member.size = len(content)
            executable = isinstance(source, Path) and source.stat().st_mode & 0o100
            member.mode = _EXECUTABLE if executable else _MODE
            bundle.addfile(member, io.BytesIO(content))
    archive = buffer.getvalue()
    return PackedSource(
        archive, hashlib.sha256(script.training_image.place(instance_type).encode() + archive).hexdigest()
    )


def script_hyperparameters(given: Mapping[str, str | int | float | bool]) -> dict[str, str]:
    """Write the hyperparameters of a script as JSON, with those that the toolkit needs."""
    toolkit: dict[str, str | int] = {
        "sagemaker_program": STARTER,
        "sagemaker_submit_directory": f"/opt/ml/input/data/{CHANNEL}/{SOURCE}",
        "sagemaker_container_log_level": LOG_LEVEL,
    }
    return {name: json_value(value) for name, value in ({**given} | toolkit).items()}
