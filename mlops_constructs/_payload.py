"""Find the files to deploy, and zip them so that equal content gives equal bytes.

In a wheel the files are in ``_payload_files/`` beside this module; in a checkout, in the folder above the package.
"""

from __future__ import annotations

import atexit
import base64
import hashlib
import importlib
import io
import json
import shutil
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from .config._folder import deployed_files
from .errors import PayloadError

if TYPE_CHECKING:
    from collections.abc import Mapping

_PACKAGE = Path(__file__).resolve().parent
# Name of a function's document in the zip; lambdas/handler_kit/documents.py reads it.
DOCUMENT = "document.json"
# The oldest date that a zip can contain. With a constant date, the bytes depend on content only.
_DATE = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Archive:
    """A zip on disk, deleted when this process ends.

    Attributes:
        path: Path of the zip.
        sha256: Hex digest of its bytes.
    """

    path: Path
    sha256: str

    @property
    def base64_sha256(self) -> str:
        """The digest as Lambda reports it."""
        return base64.b64encode(bytes.fromhex(self.sha256)).decode()


def payload(name: str) -> Path:
    """Return the absolute path of a deployed file or folder, such as ``lambdas``.

    Raises:
        PayloadError: if this installation does not have it.
    """
    for root in (_PACKAGE / "_payload_files", _PACKAGE.parent):
        if (root / name).exists():
            return root / name
    raise PayloadError(f"{name} is missing from this installation of mlops-constructs; install it again")


def function_archive(
    function: str, document: Mapping[str, object] | None = None, more: Mapping[str, bytes] = MappingProxyType({})
) -> Archive:
    """Zip one Lambda function with ``handler_kit``, which all functions share, and with its document.

    Args:
        function: Its folder in ``lambdas/``.
        document: Content of ``document.json``, which the function reads: literals only. None omits the file.
        more: Other files that it reads, by name.
    """
    root = payload("lambdas")
    if not (root / function / "handler.py").is_file():
        raise PayloadError(f"lambdas/{function}/handler.py is missing; install mlops-constructs again")
    files: dict[str, Path | bytes] = {**folder_files(root, function), **folder_files(root, "handler_kit"), **more}
    if document is not None:
        files[DOCUMENT] = json.dumps(document, indent=2, sort_keys=True).encode()
    return archive(function, files)


def function_module(name: str) -> Any:
    """Import a module of a Lambda function from the deployed files, such as ``check_dataset.inspection``.

    Raises:
        PayloadError: if this installation does not have the functions.
    """
    root = str(payload("lambdas"))
    if root not in sys.path:
        # Last, so that no module of a program is hidden.
        sys.path.append(root)
    return importlib.import_module(name)


def folder_files(root: Path, folder: str = "") -> dict[str, Path]:
    """Return the files below ``root/folder`` by their path relative to ``root``, sorted, without caches."""
    return {path.relative_to(root).as_posix(): path for path, _ in sorted(deployed_files(root / folder))}


def archive(name: str, files: Mapping[str, Path | bytes]) -> Archive:
    """Write ``<name>.zip`` in this process's temporary folder; equal names, content and modes give equal bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as bundle:
        for member in sorted(files):
            source = files[member]
            executable = isinstance(source, Path) and source.stat().st_mode & 0o100
            info = zipfile.ZipInfo(member, _DATE)
            info.create_system = 3  # Unix: otherwise the mode below is ignored
            info.external_attr = (0o100755 if executable else 0o100644) << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            bundle.writestr(info, source.read_bytes() if isinstance(source, Path) else source)
    data = buffer.getvalue()
    digest = hashlib.sha256(data).hexdigest()
    path = _scratch() / digest / f"{name}.zip"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)
    return Archive(path, digest)


@cache
def _scratch() -> Path:
    # CDKTF copies assets at app.synth(), so the zips must live as long as the program.
    folder = Path(tempfile.mkdtemp(prefix="mlops-constructs-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
