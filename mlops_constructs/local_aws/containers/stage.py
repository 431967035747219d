"""One stage of a build: its files, and what its instructions have set so far."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from mlops_constructs.local_aws.containers.config import ImageConfig
from mlops_constructs.local_aws.containers.copying import inside
from mlops_constructs.local_aws.containers.dockerfile import Instruction, expand

if TYPE_CHECKING:
    from mlops_constructs.local_aws.containers.dockerfile import Heredoc

SHELL = ("/bin/sh", "-c")


@dataclass
class Stage:
    """One stage.

    Attributes:
        tree: Folder of its files, each at its path in the image.
        config: Its configuration.
        shell: `SHELL`.
        arguments: Values of `ARG`.
    """

    tree: Path
    config: ImageConfig = field(default_factory=ImageConfig)
    shell: tuple[str, ...] = SHELL
    arguments: dict[str, str] = field(default_factory=dict)

    @property
    def variables(self) -> dict[str, str]:
        """What is expanded in instructions: a variable of `ENV` wins over one of `ARG`."""
        return {**self.arguments, **self.config.environment}

    def absolute(self, path: str) -> str:
        """A path from the current `WORKDIR`; a `/` at its end stays."""
        joined = str(PurePosixPath(self.config.directory, path))
        return f"{joined}/" if path.endswith("/") and joined != "/" else joined

    def change(self, **members: Any) -> None:
        """Change members of the configuration."""
        self.config = dataclasses.replace(self.config, **members)

    def words(self, one: Instruction) -> tuple[list[str], bool]:
        """The words of `ENTRYPOINT` or `CMD`, and whether it is in its shell form."""
        return (list(one.words), False) if one.words is not None else ([*self.shell, one.value], True)

    def write(self, heredoc: Heredoc, target: str, *, alone: bool) -> None:
        """Write a text of the Dockerfile into a file."""
        place = inside(self.tree, target)
        if not alone or target.endswith("/") or place.is_dir():
            place = place / heredoc.name
        place.parent.mkdir(parents=True, exist_ok=True)
        content = heredoc.content
        place.write_text(expand(content, self.variables, quotes=False) if heredoc.expand else content)
