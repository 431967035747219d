"""The resources that Terraform's state contains already."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import MlopsError

if TYPE_CHECKING:
    from .stack import SynthesizedStack

_WRITE = "`terraform state pull > FILE` writes one"


class TerraformState:
    """The addresses in a state, as far as it can be read without credentials.

    Attributes:
        known: Whether it is known what the state contains, or that there is no state yet.
        source: Where the state is, as shown to people.
    """

    def __init__(self, stack: SynthesizedStack, file: Path | None = None) -> None:
        """Read the state.

        Args:
            stack: The stack whose backend is used where no file is given.
            file: A state, as ``terraform state pull`` prints it.

        Raises:
            MlopsError: when the file is not a state.
        """
        kind, arguments = stack.backend
        if file is None and kind != "local":
            self.known, self.source = False, f"the backend {kind}"
            self._ids: dict[str, str] = {}
            return
        path = file or Path(str(arguments.get("path", "terraform.tfstate")))
        if file is not None and not path.is_file():
            raise MlopsError(f"{path} is not a file with a state of Terraform; {_WRITE}")
        self.known, self.source = True, str(path)
        self._ids = _ids(path) if path.is_file() else {}

    def has(self, address: str) -> bool:
        """Whether Terraform manages the resource with this address."""
        return address in self._ids

    def id_of(self, address: str) -> str | None:
        """The attribute `id` of a resource; None where Terraform does not manage it."""
        return self._ids.get(address)


def _ids(path: Path) -> dict[str, str]:
    try:
        resources = json.loads(path.read_text(encoding="utf-8"))["resources"]
        managed = (one for one in resources if one["mode"] == "managed" and one["instances"])
        return {
            f"{one['type']}.{one['name']}": str(one["instances"][0].get("attributes", {}).get("id")) for one in managed
        }
    except ValueError as error:
        raise MlopsError(f"{path} is not the state of Terraform 1.0 or newer: {error}; {_WRITE}") from None
    except (KeyError, TypeError):
        raise MlopsError(f"{path} is not the state of Terraform 1.0 or newer; {_WRITE}") from None
