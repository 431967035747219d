"""The headers of a request, and a response, independent of the HTTP server."""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sagemaker_contract.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Mapping

ATTRIBUTES_HEADER = b"x-amzn-sagemaker-custom-attributes"


class DisconnectedError(Exception):
    """The client disconnected before its request was complete."""


class RefusedBodyError(RequestError):
    """A body that is not read to its end; the response is sent at once, while the client may still be sending."""


@functools.lru_cache(maxsize=64)
def _is_parquet(content_type: bytes | None) -> bool:
    return content_type is not None and b"parquet" in content_type.lower()


class Headers:
    """The headers of a request that are used; names are in lower case."""

    __slots__ = ("_values", "accept", "content_type")

    def __init__(self, values: Mapping[bytes, bytes]) -> None:
        self._values = values
        self.content_type = values.get(b"content-type")
        self.accept = values.get(b"accept")

    def text(self, name: bytes) -> str:
        return self._values.get(name, b"").decode("latin-1")

    def by_name(self) -> dict[str, str]:
        """All headers as text."""
        return {name.decode("latin-1"): value.decode("latin-1") for name, value in self._values.items()}

    def who(self) -> dict[str, str]:
        """The headers by which a caller can find its request in the log."""
        named = {
            "inference_id": self.text(b"x-amzn-sagemaker-inference-id"),
            "target_model": self.text(b"x-amzn-sagemaker-target-model"),
        }
        return {name: value for name, value in named.items() if value}

    @property
    def attributes(self) -> str:
        return self.text(ATTRIBUTES_HEADER)

    @property
    def content_length(self) -> int:
        text = self._values.get(b"content-length", b"0")
        return int(text) if text.isdigit() else 0

    @property
    def content_encoding(self) -> str:
        return self.text(b"content-encoding").strip().lower()

    @property
    def is_compressed(self) -> bool:
        """Whether the body may be much larger than it looks."""
        return b"content-encoding" in self._values or _is_parquet(self.content_type)

    @property
    def waits_to_send(self) -> bool:
        """Whether the client waits for permission to send the body, with ``Expect: 100-continue``."""
        return b"expect" in self._values


@dataclass(slots=True)
class Answer:
    """An HTTP response; ``content_type`` is ``None`` for an empty body.

    With ``refuses_body`` the client may still be sending its request.
    """

    body: bytes = b""
    content_type: bytes | None = None
    status: int = 200
    headers: tuple[tuple[bytes, bytes], ...] = ()
    refuses_body: bool = False

    @classmethod
    def of_json(cls, content: object, status: int = 200) -> Answer:
        return cls(json.dumps(content).encode(), b"application/json", status)

    @classmethod
    def of_error(cls, error: RequestError) -> Answer:
        answer = cls.of_json({"error": str(error)}, error.status)
        if error.status == 503:
            answer.headers = ((b"retry-after", b"1"),)
        return answer

    def with_attributes(self, attributes: str) -> Answer:
        """Set the custom attributes, if there are any."""
        if attributes:
            self.headers = (*self.headers, (ATTRIBUTES_HEADER, attributes.encode("latin-1")))
        return self
