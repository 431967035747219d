"""The headers of a request, and a response, independent of the HTTP server."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sagemaker_contract.errors import RequestError

ATTRIBUTES_HEADER = b"x-amzn-sagemaker-custom-attributes"


class Headers:
    """The headers of a request that are used; names are in lower case."""

    __slots__ = ("_values", "accept", "content_type")

    def __init__(self, values: Mapping[bytes, bytes]) -> None:
        self._values = values
        self.content_type = values.get(b"content-type")
        self.accept = values.get(b"accept")

    def text(self, name: bytes) -> str:
        return self._values.get(name, b"").decode("latin-1")

    @property
    def attributes(self) -> str:
        return self.text(ATTRIBUTES_HEADER)

    @property
    def content_length(self) -> int:
        text = self._values.get(b"content-length", b"0")
        return int(text) if text.isdigit() else 0

    @property
    def waits_to_send(self) -> bool:
        """Whether the client waits for permission to send the body, with ``Expect: 100-continue``."""
        return b"expect" in self._values


@dataclass(slots=True)
class Answer:
    """An HTTP response; ``content_type`` is ``None`` for an empty body."""

    body: bytes = b""
    content_type: bytes | None = None
    status: int = 200
    headers: tuple[tuple[bytes, bytes], ...] = ()

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
