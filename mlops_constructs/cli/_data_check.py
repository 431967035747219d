"""CheckDataset on files of this machine: the code of the Lambda function, with files instead of objects."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .._payload import function_module
from ..config.dataset import Dataset
from ..errors import MlopsError
from ._local_files import LocalFiles

if TYPE_CHECKING:
    from pathlib import Path

    from ..deployed.data_files import DataFiles

_DOCUMENT_BYTES = 1024 * 1024
_NOT_SEEN = "The description is valid; its objects are in S3 and were not checked"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What CheckDataset says about a data set.

    Attributes:
        problems: What is wrong, if anything.
        summary: What was inspected, as text for people.
        facts: The same as values.
    """

    problems: list[str]
    summary: str = ""
    facts: dict[str, Any] = field(default_factory=dict)


def check_data(data: DataFiles) -> Verdict:
    """Say what CheckDataset would say after the upload."""
    try:
        if data.alone is not None and _describes(data.alone):
            return _check_description(data.alone)
        return _check_files(data)
    except function_module("handler_kit.errors").ConfigurationError as error:
        return Verdict(list(getattr(error, "problems", [str(error)])))


def contract_variables(contract: Path) -> dict[str, str]:
    """The environment variables with which a training job learns the columns of a data contract.

    Raises:
        MlopsError: when it is not a contract.
    """
    parse = function_module("check_dataset.contract").parse_contract
    files = LocalFiles()
    try:
        text = files.read_text(files.entry(contract), _DOCUMENT_BYTES, "data contract")
        variables: dict[str, str] = function_module("check_dataset.columns").variables(parse(text, str(contract)))
    except function_module("handler_kit.errors").ConfigurationError as error:
        raise MlopsError(str(error)) from None
    return variables


def _check_files(data: DataFiles) -> Verdict:
    inspection, manifests = function_module("check_dataset.inspection"), function_module("check_dataset.manifest")
    files, limits = LocalFiles(), Dataset()
    channels = {name: [files.entry(file) for file in found] for name, found in data.channels.items()}
    try:
        manifests.check_channels(channels)
    except ValueError as error:
        return Verdict([f"{data.name}: {error}"])
    golden, contract = (None if one is None else files.entry(one) for one in (data.golden, data.contract))
    found = inspection.inspect(
        files,
        manifests.Manifest(channels, golden, contract),
        function_module("check_dataset.contract").Contract(),
        limits.max_megabytes * 1_000_000,
        limits.max_inspected_megabytes * 1_000_000,
    )
    facts = {
        "channels": {name: len(objects) for name, objects in found.channels.items()},
        "bytes": found.total,
        "rows": found.findings.rows,
        "golden_records": len(found.golden_rows),
        "sha256": found.findings.sha256,
    }
    return Verdict([], found.summary(), facts)


def _describes(path: Path) -> bool:
    """Whether a file is a manifest or a ``trainingjob.zip``."""
    if path.name == function_module("check_dataset.workshop").ARCHIVE:
        return True
    files = LocalFiles()
    return path.suffix == ".json" and bool(
        function_module("check_dataset.inspection").describes(files, files.entry(path))
    )


def _check_description(path: Path) -> Verdict:
    """A manifest, or the workshop's zip: the objects that it names are in S3, so only it itself is checked."""
    files, place = LocalFiles(), str(path)
    if path.suffix.lower() == ".zip":
        archive = function_module("check_dataset.archive")
        body = files.read(files.entry(path), archive.MAX_ARCHIVE_BYTES, "training job's zip")
        job = function_module("check_dataset.workshop").parse_job(archive.read_archive(body, place), place, {})
        return Verdict([], ". ".join([_NOT_SEEN, *job.notes]), {"channels": sorted(job.channels)})
    manifests = function_module("check_dataset.manifest")
    text = files.read_text(files.entry(path), manifests.MAX_MANIFEST_BYTES, "manifest")
    found = manifests.parse_manifest(text, place)
    return Verdict([], _NOT_SEEN, {"channels": {name: len(objects) for name, objects in found.channels.items()}})
