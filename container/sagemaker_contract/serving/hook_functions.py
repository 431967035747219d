"""Find the functions of sagemaker-inference in a module, and call them as that toolkit does."""

from __future__ import annotations

import asyncio
import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sagemaker_contract.errors import ConfigurationError
from sagemaker_contract.formats.media_types import ANSWER_TYPES
from sagemaker_contract.interface import HOOKS
from sagemaker_contract.serving.settings import DEFAULT_ACCEPT

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from sagemaker_contract.serving.settings import Settings

_REPLACED_BY_TRANSFORM = ("input_fn", "predict_fn", "output_fn")


@dataclass(frozen=True)
class Hook:
    """One of the functions; the number of its parameters tells whether it takes the context, as in the toolkit."""

    function: Callable[..., Any]
    takes_context: bool


def find_hooks(module: object) -> dict[str, Hook]:
    """Return the functions that the module has.

    Raises:
        ConfigurationError: If one has other parameters, or functions exclude each other.
    """
    functions = {name: getattr(module, name, None) for name in HOOKS}
    hooks = {name: _hook(name, function) for name, function in functions.items() if function is not None}
    replaced = [name for name in _REPLACED_BY_TRANSFORM if name in hooks]
    if "transform_fn" in hooks and replaced:
        raise ConfigurationError(f"transform_fn replaces {_listed(_REPLACED_BY_TRANSFORM)}; remove {_listed(replaced)}")
    return hooks


def check_module(module: object, settings: Settings) -> None:
    """Check what can be known before a model is loaded.

    Raises:
        ConfigurationError: If the module's functions cannot be called, or do not fit the settings.
    """
    hooks = find_hooks(module)
    if hooks and settings.multi_model:
        raise ConfigurationError(
            f"SAGEMAKER_MULTI_MODEL is true, but the code has {_listed(list(hooks))}: these functions of "
            "sagemaker-inference serve one model; for several models, write load and predict"
        )
    if "output_fn" not in hooks and "transform_fn" not in hooks:
        check_default_accept(settings)


def check_default_accept(settings: Settings) -> None:
    """Check the default response type of a server that writes the responses itself.

    Raises:
        ConfigurationError: If it cannot write that type.
    """
    if settings.default_accept is not None and settings.default_accept not in ANSWER_TYPES:
        given = f"{', '.join(ANSWER_TYPES)}, got {settings.default_accept!r}"
        raise ConfigurationError(f"{DEFAULT_ACCEPT} must be one of {given}")


class Caller:
    """Calls functions in one thread at a time, and waits for the result of asynchronous ones."""

    def __init__(self, hooks: Mapping[str, Hook]) -> None:
        self._hooks = hooks
        # Connections that one call opens belong to the loop, so all calls need the same one.
        self._loop: asyncio.AbstractEventLoop | None = None

    def __contains__(self, name: str) -> bool:
        return name in self._hooks

    def __call__(self, name: str, context: object, *arguments: object) -> Any:
        hook = self._hooks[name]
        result = hook.function(*arguments, *([context] if hook.takes_context else []))
        if not inspect.isawaitable(result):
            return result
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
        return self._loop.run_until_complete(_result(result))


async def _result(awaitable: Awaitable[Any]) -> Any:
    return await awaitable


def _hook(name: str, function: Any) -> Hook:
    arguments = HOOKS[name]
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        raise ConfigurationError(f"{name} must be a function that takes {_both(name)}, not {function!r}") from None
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise ConfigurationError(f"{name} yields its result in parts, but is called for the whole result; return it")
    count = len(signature.parameters)
    takes_context = count == len(arguments) + 1
    if count != len(arguments) and not takes_context:
        raise ConfigurationError(f"{name}{signature} must take {_both(name)}")
    try:
        signature.bind(*range(count))
    except TypeError:
        raise ConfigurationError(f"{name}{signature} must take its arguments by position: {_both(name)}") from None
    return Hook(function, takes_context)


def _both(name: str) -> str:
    arguments = ", ".join(HOOKS[name])
    return f"({arguments}) or ({arguments}, context)"


def _listed(names: tuple[str, ...] | list[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
