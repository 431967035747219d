"""Writes and reads everything that the services hold, moto's services too."""

from __future__ import annotations

import io
import marshal
import pickle
import sys
import threading
import types
import weakref
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from moto.backends import get_backend
from moto.core.base_backend import BackendDict, BaseBackend

from mlops_constructs.local_aws.snapshot.anchors import LOCKS, TOOLS, attributes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

# What a new local AWS makes for itself, beside its tools.
_NOT_HELD = {
    "aws": None,
    "aws._folder": None,
    "aws._gateway": None,
    "aws._gateway.traffic": None,
    "aws.traffic": None,
    "aws.account": None,
    "aws.account._factory": None,
    # Who has registered there registers again.
    "aws.account.clock": ("_busy", "_listeners", "_timers"),
    "aws.account.hooks": None,
    "aws.account.moto_app": None,
    "aws.account.moto_app._app": None,
    "aws.account.processes": None,
    "aws.cloudwatch.alarms": ("_thread",),
    "aws.events": ("_thread",),
    # Processes of functions: the next invocation starts one.
    "aws.lambda_": ("_idle", "_busy"),
}


def dump(anchors: Mapping[str, Any]) -> bytes:
    """Return what the services hold.

    Args:
        anchors: The objects of the local AWS, by path.

    Raises:
        Exception: when it changes meanwhile, or something in it cannot be written.
    """
    backends = dict(_backends())
    held = {path: _held(path, anchor) for path, anchor in anchors.items() if _is_held(path, anchor)}
    names = {id(anchor): path for path, anchor in anchors.items()}
    names.update({id(backend): name for name, backend in backends.items()})
    written = io.BytesIO()
    moto = {name: dict(vars(backend)) for name, backend in backends.items()}
    _Pickler(written, names).dump({"services": held, "moto": moto})
    return written.getvalue()


def load(anchors: Mapping[str, Any], written: bytes) -> None:
    """Give a new local AWS, whose services have not started, what `dump` has returned.

    Raises:
        Exception: when it cannot be read, for example because it was written by other code.
    """
    found = _Unpickler(io.BytesIO(written), anchors).load()
    for path, held in found["services"].items():
        for name, value in held.items():
            object.__setattr__(anchors[path], name, value)
    for name, state in found["moto"].items():
        vars(_backend(name)).update(state)


def _is_held(path: str, anchor: object) -> bool:
    return not isinstance(anchor, TOOLS) and _NOT_HELD.get(path, ()) is not None


def _held(path: str, anchor: object) -> dict[str, Any]:
    left_out = _NOT_HELD.get(path) or ()
    return {name: value for name, value in attributes(anchor).items() if name not in left_out}


def _backends() -> Iterator[tuple[str, BaseBackend]]:
    """Yield moto's backends that are in use."""
    services: Any
    for services in list(BackendDict._instances):  # type: ignore[misc]
        for account, regions in list(services.items()):
            for region, backend in list(regions.items()):
                yield f"moto/{services.service_name}/{account}/{region}", backend


def _backend(name: str) -> Any:
    _, service, account, region = name.split("/")
    return get_backend(service)[account][region]  # type: ignore[call-overload]


class _Pickler(pickle.Pickler):
    def __init__(self, file: io.BytesIO, names: Mapping[int, str]) -> None:
        super().__init__(file, protocol=5)
        self._names = names

    def persistent_id(self, obj: Any) -> str | None:
        return self._names.get(id(obj))

    def reducer_override(self, obj: Any) -> Any:
        if isinstance(obj, LOCKS):
            return (threading.RLock if isinstance(obj, LOCKS[1]) else threading.Lock), ()
        if isinstance(obj, threading.Event):
            return _event, (obj.is_set(),)
        if (
            issubclass(kind := type(obj), defaultdict) and kind is not defaultdict
        ):  # its constructor takes something else
            return _default_dict, (kind, _factory(obj)), vars(obj), None, iter(obj.items())
        if isinstance(obj, weakref.WeakValueDictionary):
            return _weak_values, (), None, None, iter(list(obj.items()))
        if isinstance(obj, RSAPrivateKey):
            pem = obj.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            return _private_key, (pem,)
        if isinstance(obj, types.FunctionType) and not _can_be_imported(obj):
            cells = tuple(cell.cell_contents for cell in obj.__closure__ or ())
            return _function, (marshal.dumps(obj.__code__), obj.__module__, obj.__defaults__, cells)
        return NotImplemented


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, anchors: Mapping[str, Any]) -> None:
        super().__init__(file)
        self._anchors = anchors

    def persistent_load(self, pid: str) -> Any:
        return _backend(pid) if pid.startswith("moto/") else self._anchors[pid]


def _factory(made: Any) -> Callable[[], Any] | None:
    found: Callable[[], Any] | None = made.default_factory
    return found


def _default_dict(kind: type[defaultdict[Any, Any]], factory: Callable[[], Any] | None) -> defaultdict[Any, Any]:
    made = kind.__new__(kind)
    made.default_factory = factory
    return made


def _weak_values() -> weakref.WeakValueDictionary[Any, Any]:
    return weakref.WeakValueDictionary()


def _private_key(pem: bytes) -> Any:
    return load_pem_private_key(pem, None)


def _event(is_set: bool) -> threading.Event:
    event = threading.Event()
    if is_set:
        event.set()
    return event


def _can_be_imported(function: types.FunctionType) -> bool:
    found: Any = sys.modules.get(function.__module__)
    for name in function.__qualname__.split("."):
        found = getattr(found, name, None)
    return found is function


def _function(code: bytes, module: str, defaults: tuple[Any, ...] | None, cells: tuple[Any, ...]) -> Callable[..., Any]:
    """Return a function that has no name in its module, such as the factory of a defaultdict."""
    closure = tuple(types.CellType(one) for one in cells)
    return types.FunctionType(marshal.loads(code), vars(sys.modules[module]), "", defaults, closure)
