"""Requests that were judged in a rehearsal, in a form that is the same after every rehearsal."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlops_constructs.local_aws.iam.request import Context, Principal, Request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

ACCOUNT = "123456789012"

# What every call here has, or the principal brings; it is added again when a request is judged.
_LEFT_OUT = {"aws:currenttime", "aws:epochtime", "aws:sourceip", "aws:securetransport", "aws:requestedregion"}
_ALWAYS = Context(
    {"aws:SecureTransport": "true", "aws:RequestedRegion": "us-east-1", "aws:CurrentTime": "2026-01-01T00:00:00Z"}
)
_NAMES = (
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "ID"),
    (re.compile(r"(?<=:model/)(.+)-[A-Za-z0-9]{12}$"), r"\1-ID"),
    (re.compile(r"(?<=:endpoint-config/)(.+)-[A-Za-z0-9]{12}$"), r"\1-ID"),
    (re.compile(r"(:::[^/]+/[^/]{1,20}/[^/]{1,10})/[A-Za-z0-9]{7}$"), r"\1/ID"),
    (re.compile(r"(?<![0-9A-Za-z])\d{4}/\d{2}/\d{2}(/\d{2})?(?![0-9])"), "DATE"),
    (re.compile(r"(?<![0-9A-Za-z])(?!123456789012)[0-9a-f]{8,64}(?![0-9A-Za-z])"), "HEX"),
    (re.compile(r"\d{4}-\d{2}-\d{2}T[0-9:.-]+(Z|\+00:00)?|\d{8}T\d+Z?"), "TIME"),
    (re.compile(r"(?<=[-/])\d{2}-\d{2}-\d{6}(?=-)"), "TIME"),
)


@dataclass(frozen=True, slots=True, order=True)
class Recorded:
    """One request.

    Attributes:
        principal: ARN of the role, or the name of a service.
        action: ``service:Action``.
        resource: ARN, or ``*``.
        context: Condition keys and their values, in order.
    """

    principal: str
    action: str
    resource: str
    context: tuple[tuple[str, tuple[str, ...]], ...] = ()

    @classmethod
    def of(cls, request: Request, rename: Callable[[str], str]) -> Recorded:
        """Take what does not change from one rehearsal to the next.

        Args:
            request: As it was judged.
            rename: Puts names in the place of random ids.
        """
        own = {key for key, _ in request.principal.context().items()} | _LEFT_OUT
        context = {
            key: tuple(sorted(steady(rename(value)) for value in values))
            for key, values in request.context.items()
            if key not in own
        }
        principal = request.principal
        who = principal.role_arn or principal.arn
        resource = request.resource if request.resource.startswith("arn:aws:iam") else steady(rename(request.resource))
        return cls(who, request.action, resource, tuple(sorted(context.items())))

    def request(self) -> Request:
        """Give the request to be judged again."""
        is_role = self.principal.startswith("arn:")
        principal = Principal.role_session(self.principal, "s") if is_role else Principal.service(self.principal)
        owner = self.resource.split(":")[4] if self.resource.count(":") > 4 else ""
        context = _ALWAYS.under(Context(dict(self.context)))
        return Request(principal, self.action, self.resource, owner or ACCOUNT, context)

    def line(self) -> str:
        """Give the request as a line of a file."""
        context: Mapping[str, tuple[str, ...]] = dict(self.context)
        return json.dumps([self.principal, self.action, self.resource, context])

    @classmethod
    def parse(cls, line: str) -> Recorded:
        """Read a line of a file."""
        principal, action, resource, context = json.loads(line)
        return cls(principal, action, resource, tuple((key, tuple(values)) for key, values in context.items()))


def steady(text: str) -> str:
    """Put words in the place of ids and times."""
    for pattern, word in _NAMES:
        text = pattern.sub(word, text)
    return text


def read(path: Path) -> set[Recorded]:
    """Read the requests of a file; none where there is no file."""
    return {Recorded.parse(line) for line in path.read_text().splitlines()} if path.exists() else set()


def write(path: Path, requests: Iterable[Recorded]) -> None:
    """Write requests, one a line, in order."""
    path.write_text("".join(f"{request.line()}\n" for request in sorted(requests)))
