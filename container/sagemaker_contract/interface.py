"""The interface of ``algorithm.py``, and how the module is imported."""

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

# The functions of sagemaker-inference, with the arguments that each is called with. A context may follow.
HOOKS = {
    "pre_model_fn": ("model_dir",),
    "model_fn": ("model_dir",),
    "model_warmup_fn": ("model_dir", "model"),
    "input_fn": ("input_data", "content_type"),
    "predict_fn": ("data", "model"),
    "output_fn": ("prediction", "accept"),
    "transform_fn": ("model", "input_data", "content_type", "accept"),
}


class Algorithm(Protocol):
    """The functions of ``algorithm.py``; the types of data, model and hyperparameters are its own.

    It may also have ``to_onnx(model) -> bytes | None``, which returns the same model as ONNX, for faster predictions,
    and ``USES_ALL_HOSTS = True`` if ``train`` divides its work between the hosts of the job.
    """

    Hyperparameters: type

    def load_data(self, channels: Mapping[str, Sequence[Path]], hyperparameters: Any) -> tuple[Sized, Sized]: ...

    def train(self, data: Any, hyperparameters: Any, run: Run) -> Any: ...

    def metrics(self, model: Any, data: Any) -> Mapping[str, float]: ...

    def predict(self, model: Any, records: NDArray[Any]) -> list[Any]: ...

    def save(self, model: Any, directory: Path) -> None: ...

    def load(self, directory: Path) -> Any: ...


def load_algorithm() -> Algorithm:
    """Import ``algorithm.py``; called late, because signals and pings must not wait for the import of its libraries."""
    return cast("Algorithm", importlib.import_module("algorithm"))


def load_serving_module() -> ModuleType:
    """Import the module that ``serve`` predicts with: ``algorithm.py``, or the file in SAGEMAKER_PROGRAM.

    Raises:
        ConfigurationError: If the file does not exist.
    """
    program = os.environ.get("SAGEMAKER_PROGRAM") or "algorithm.py"
    name = program.removesuffix(".py")
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        raise ConfigurationError(f"SAGEMAKER_PROGRAM is {program}, but there is no such file beside serve") from None


def has_hooks(module: object) -> bool:
    """Whether a module has any of the functions of sagemaker-inference."""
    return any(getattr(module, name, None) is not None for name in HOOKS)
