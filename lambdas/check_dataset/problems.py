"""All that is wrong with a data set, in one message."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from handler_kit.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator

# CodePipeline shows a message of 5,000 characters.
MAX_TOLD = 20


class DatasetError(ConfigurationError):
    """The problems of a data set; the message has the first ``MAX_TOLD`` of them."""

    def __init__(self, problems: list[str]) -> None:
        told = problems if len(problems) == 1 else [f"{len(problems)} problems", *problems[:MAX_TOLD]]
        more = [f"and {len(problems) - MAX_TOLD} more"] if len(problems) > MAX_TOLD else []
        super().__init__("\n- ".join([*told, *more]))
        self.problems = problems


class Problems:
    """Collects what is wrong, so that everything is told at once."""

    def __init__(self) -> None:
        self._found: list[str] = []

    def __bool__(self) -> bool:
        return bool(self._found)

    @contextmanager
    def collected(self, place: str | None = None) -> Iterator[None]:
        """Keep the ConfigurationError that is raised within, and go on after it.

        With ``place``, a ValueError is a problem there too.
        """
        try:
            yield
        except DatasetError as error:
            self._found += error.problems
        except ConfigurationError as error:
            self._found.append(str(error))
        except ValueError as error:
            if place is None:
                raise
            self._found.append(f"{place}: {error}")

    def raise_any(self) -> None:
        """Raise DatasetError if anything is wrong."""
        if self._found:
            raise DatasetError(self._found)
