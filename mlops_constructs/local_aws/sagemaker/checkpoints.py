"""The checkpoint folder of a training job, and its copy in S3."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_constructs.local_aws.sagemaker.job_files import JobError, download_prefix, split_s3_uri

if TYPE_CHECKING:
    from pathlib import Path

    from mlops_constructs.local_aws.service import Params

DEFAULT_PATH = "/opt/ml/checkpoints"
_ML = "/opt/ml/"


class CheckpointFolder:
    """Copies between the folder and S3; does nothing for a job without CheckpointConfig."""

    def __init__(self, base: Path, request: Params, s3: Any) -> None:
        self._base, self._s3 = base, s3
        config = request.get("CheckpointConfig")
        self._uri: str | None = None if config is None else config["S3Uri"].rstrip("/") + "/"
        self._path: str = DEFAULT_PATH if config is None else config.get("LocalPath", DEFAULT_PATH)
        self._saved: dict[str, tuple[int, int]] = {}

    def restore(self) -> None:
        """Download the checkpoints from S3. Raises JobError for a folder outside /opt/ml."""
        if self._uri is None:
            return
        folder = self._folder()
        folder.mkdir(parents=True, exist_ok=True)
        download_prefix(self._s3, self._uri, folder)
        self._saved = {name: mark for name, mark in self._files().items()}

    def save(self) -> None:
        """Copy new and changed files to S3."""
        if self._uri is None:
            return
        bucket, prefix = split_s3_uri(self._uri)
        for name, mark in self._files().items():
            if self._saved.get(name) == mark:
                continue
            try:
                body = (self._folder() / name).read_bytes()
            except FileNotFoundError:
                continue  # the program has deleted or replaced it
            self._s3.put_object(Bucket=bucket, Key=prefix + name, Body=body)
            self._saved[name] = mark

    def _folder(self) -> Path:
        if not self._path.startswith(_ML):
            raise JobError(f"ClientError: the local AWS supports checkpoints in {_ML} only, not in {self._path}")
        return self._base / self._path.removeprefix(_ML)

    def _files(self) -> dict[str, tuple[int, int]]:
        folder = self._folder()
        found = {}
        for path in sorted(folder.rglob("*")):
            try:
                if path.is_file():
                    status = path.stat()
                    found[path.relative_to(folder).as_posix()] = (status.st_size, status.st_mtime_ns)
            except FileNotFoundError:
                continue
        return found
