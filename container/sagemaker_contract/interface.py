"""What ``algorithm.py`` gives; the module itself is the object."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence, Sized
    from pathlib import Path

    from numpy.typing import NDArray


class Algorithm(Protocol):
    """Data, model and hyperparameters are the algorithm's own types: they are only passed on."""

    Hyperparameters: type

    def load_data(self, channels: Mapping[str, Sequence[Path]], hyperparameters: Any) -> tuple[Sized, Sized]: ...

    def train(self, data: Any, hyperparameters: Any, stop_requested: Callable[[], bool]) -> Any: ...

    def metrics(self, model: Any, data: Any) -> Mapping[str, float]: ...

    def predict(self, model: Any, records: NDArray[Any]) -> list[Any]: ...

    def save(self, model: Any, directory: Path) -> None: ...

    def load(self, directory: Path) -> Any: ...


def load_algorithm() -> Algorithm:
    """Import ``algorithm.py``; called late, for no signal and no ping may wait for its libraries."""
    import algorithm

    return cast("Algorithm", algorithm)
