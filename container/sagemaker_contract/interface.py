"""What ``algorithm.py`` gives; the module itself is the object."""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING, Any, Protocol, cast

from sagemaker_contract.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence, Sized
    from pathlib import Path
    from types import ModuleType

    from numpy.typing import NDArray

    from sagemaker_contract.training.run import Run

HOOKS = ("model_fn", "input_fn", "predict_fn", "output_fn")


class Algorithm(Protocol):
    """Data, model and hyperparameters are the algorithm's own types: they are only passed on.

    It may also have ``to_onnx(model) -> bytes | None``: the same model as ONNX, for faster answers; and
    ``USES_ALL_HOSTS = True``, when ``train`` divides its work over the hosts of the job.
    """

    Hyperparameters: type

    def load_data(self, channels: Mapping[str, Sequence[Path]], hyperparameters: Any) -> tuple[Sized, Sized]: ...

    def train(self, data: Any, hyperparameters: Any, run: Run) -> Any: ...

    def metrics(self, model: Any, data: Any) -> Mapping[str, float]: ...

    def predict(self, model: Any, records: NDArray[Any]) -> list[Any]: ...

    def save(self, model: Any, directory: Path) -> None: ...

    def load(self, directory: Path) -> Any: ...


def load_algorithm() -> Algorithm:
    """Import ``algorithm.py``; called late, for no signal and no ping may wait for its libraries."""
    return cast("Algorithm", importlib.import_module("algorithm"))


def load_serving_module() -> ModuleType:
    """Import what ``serve`` answers with: ``algorithm.py``, or the file that SAGEMAKER_PROGRAM names.

    Raises:
        ConfigurationError: When there is no such file.
    """
    program = os.environ.get("SAGEMAKER_PROGRAM") or "algorithm.py"
    name = program.removesuffix(".py")
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        raise ConfigurationError(f"SAGEMAKER_PROGRAM is {program}, and there is no such file beside serve") from None


def has_hooks(module: object) -> bool:
    """Whether a module has any of the four functions of sagemaker-inference."""
    return any(hasattr(module, name) for name in HOOKS)
