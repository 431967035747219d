"""What an image says about its programs: variables, folder, entry point and command."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

# Of Docker's images that set none.
DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageConfig:
    """The configuration of a built image.

    Attributes:
        environment: Variables of `ENV`; PATH is always among them.
        directory: `WORKDIR`.
        entrypoint: `ENTRYPOINT` in its exec form, or the shell and the text of the shell form; empty for none.
        is_shell: Whether `ENTRYPOINT` is in its shell form, which ignores arguments.
        command: `CMD`, likewise.
        packages: Folder of the environment with the image's Python packages.
        omitted: What could not be done on this machine, a text for each line of the Dockerfile.
    """

    environment: dict[str, str] = field(default_factory=lambda: {"PATH": DEFAULT_PATH})
    directory: str = "/"
    entrypoint: list[str] = field(default_factory=list)
    is_shell: bool = False
    command: list[str] = field(default_factory=list)
    packages: str = ""
    omitted: list[str] = field(default_factory=list)

    def words(self, arguments: Sequence[str]) -> list[str]:
        """The words that are executed, as `docker run image arguments` chooses them."""
        if self.is_shell:
            return list(self.entrypoint)
        return [*self.entrypoint, *(arguments or self.command)]

    def write(self, file: Path) -> None:
        """Write it as JSON."""
        file.write_text(json.dumps(asdict(self), indent=2), encoding="utf-8")

    @classmethod
    def read(cls, file: Path) -> ImageConfig:
        """Read what `write` wrote."""
        return cls(**json.loads(file.read_text(encoding="utf-8")))
