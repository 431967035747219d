"""Builds the containers of a stack while Terraform waits for the provider: their packages are then installed already.

The pipeline builds its image itself, later. It finds the packages in the user's cache, where this build has left them.
"""

from __future__ import annotations

import contextlib
import tempfile
import threading
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_constructs.local_aws.codebuild.aws_cli import aws_cli
from mlops_constructs.local_aws.containers.images import ContainerError

if TYPE_CHECKING:
    from mlops_constructs.local_aws.local_aws import LocalAws

_END_SECONDS = 5.0
# Makes another image of it: the pipeline's own build must say what it does.
_ARGUMENTS = ("EARLY=1",)


class EarlyBuilds:
    """Builds every container folder that is in the assets of a stack, in a thread."""

    def __init__(self, aws: LocalAws, stack: Path) -> None:
        """Prepare them; ``stack`` is the folder of the synthesized stack."""
        self._aws, self._stack = aws, stack
        self._thread = threading.Thread(target=self._build_all, name="early-builds", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def join(self) -> None:
        """Wait for the end, which comes soon when the local AWS is closed."""
        if self._thread.ident is not None:
            self._thread.join(_END_SECONDS)

    def _build_all(self) -> None:
        with contextlib.suppress(ContainerError, OSError, RuntimeError):
            aws_cli(self._aws.account.processes, self._aws.log)
        for archive in sorted((self._stack / "assets").glob("**/*.zip")):
            # What fails here fails again in the pipeline, which reports it.
            with contextlib.suppress(ContainerError, OSError, RuntimeError, zipfile.BadZipFile):
                self._build(archive)

    def _build(self, archive: Path) -> None:
        with zipfile.ZipFile(archive) as bundle:
            if "Dockerfile" not in bundle.namelist():
                return
            folder = tempfile.TemporaryDirectory(dir=self._aws.workdir, prefix="early-", ignore_cleanup_errors=True)
            with folder as context:
                for member in bundle.infolist():
                    path = Path(bundle.extract(member, context))
                    if path.is_file():
                        path.chmod((member.external_attr >> 16) & 0o777 or 0o644)
                self._aws.containers.runtime.build(Path(context), self._aws.log, _ARGUMENTS)
