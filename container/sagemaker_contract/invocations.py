"""From a request's body to the answer's body; knows the algorithm and the codecs, and no HTTP server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sagemaker_contract.codecs import DECODERS, ENCODERS
from sagemaker_contract.negotiation import answer_type, content_type

if TYPE_CHECKING:
    from sagemaker_contract.interface import Algorithm


@dataclass(frozen=True)
class Answer:
    """A body with its media type."""

    content_type: str
    body: bytes


class InvocationHandler:
    """Answers invocations with one loaded model."""

    def __init__(self, algorithm: Algorithm, model: Any, default_accept: str | None = None) -> None:
        """``default_accept`` is for requests that accept anything; ``None`` is the request's own type."""
        self._algorithm = algorithm
        self._model = model
        self._default_accept = default_accept

    def __call__(self, body: bytes, content_type_header: str | None, accept_header: str | None) -> Answer:
        """Decode, predict, encode.

        Raises:
            RequestError: When the request is at fault, with the status and the reason to answer.
        """
        given = content_type(content_type_header, DECODERS)
        wanted = answer_type(accept_header, ENCODERS, self._preferred(given))
        predictions = self._algorithm.predict(self._model, DECODERS[given](body))
        return Answer(wanted, ENCODERS[wanted](predictions))

    def _preferred(self, given: str) -> str:
        if self._default_accept is not None:
            return self._default_accept
        # A later format may be read only.
        return given if given in ENCODERS else next(iter(ENCODERS))
