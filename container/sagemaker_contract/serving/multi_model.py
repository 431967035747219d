"""A multi-model endpoint: SageMaker loads and unloads the models that callers invoke."""

from __future__ import annotations

import asyncio
import json
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sagemaker_contract.errors import ContractError, RequestError
from sagemaker_contract.serving.messages import Answer

if TYPE_CHECKING:
    from collections.abc import Callable

    from sagemaker_contract.serving.messages import Headers
    from sagemaker_contract.serving.models import ServedModel

_log = logging.getLogger("serve")


class MultiModel:
    """The models that are loaded, by name."""

    def __init__(self, load: Callable[[Path], ServedModel], loading: Any) -> None:
        """``load`` loads a model from its folder; it runs in the executor ``loading``."""
        self._load = load
        self._loading = loading
        self._models: dict[str, tuple[str, ServedModel]] = {}
        self._being_loaded: set[str] = set()

    def loaded(self) -> list[ServedModel]:
        return [model for _, model in self._models.values()]

    async def answer(self, method: str, path: str, body: bytes, headers: Headers) -> Answer:
        """Handle one of the five routes: list and load, describe and unload, invoke.

        Raises:
            RequestError: 404 for an unknown model, 409 for one that is already loaded, 507 if there is no memory.
        """
        _, _, name_and_verb = path.partition("/models")
        name, _, verb = name_and_verb.lstrip("/").partition("/")
        if not name and method == "GET":
            return Answer.of_json({"models": [self._described(name) for name in sorted(self._models)]})
        if not name and method == "POST":
            return await self._load_model(body)
        if verb == "invoke" and method == "POST":
            return await self._model(name).answer(body, headers)
        if name and not verb and method == "GET":
            self._model(name)
            return Answer.of_json(self._described(name))
        if name and not verb and method == "DELETE":
            self._model(name)
            del self._models[name]
            _log.info("model unloaded", extra={"fields": {"model": name}})
            return Answer.of_json({"modelName": name})
        raise RequestError(404, f"there is no {method} {path}")

    async def _load_model(self, body: bytes) -> Answer:
        name, url = _name_and_url(body)
        if name in self._models or name in self._being_loaded:
            raise RequestError(409, f"the model {name!r} is already loaded")
        self._being_loaded.add(name)
        try:
            folder = Path(url.removeprefix("file://"))
            model = await asyncio.get_running_loop().run_in_executor(self._loading, self._load, folder)
        except MemoryError:
            raise RequestError(507, f"there is no memory left for the model {name!r}") from None
        except ContractError as error:
            raise RequestError(400, str(error)) from error
        finally:
            self._being_loaded.discard(name)
        self._models[name] = (url, model)
        _log.info("model loaded", extra={"fields": {"model": name, "folder": str(folder)}})
        return Answer.of_json(self._described(name))

    def _model(self, name: str) -> ServedModel:
        if name not in self._models:
            raise RequestError(404, f"the model {name!r} is not loaded")
        return self._models[name][1]

    def _described(self, name: str) -> dict[str, str]:
        return {"modelName": name, "modelUrl": self._models[name][0]}


def _name_and_url(body: bytes) -> tuple[str, str]:
    try:
        content = json.loads(body)
        name, url = content["model_name"], content["url"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise RequestError(400, 'the body must be {"model_name": "...", "url": "..."}') from None
    if not isinstance(name, str) or not isinstance(url, str) or not name or "/" in name or "\0" in url:
        raise RequestError(400, "model_name and url must be text, and model_name without a slash")
    return name, url
