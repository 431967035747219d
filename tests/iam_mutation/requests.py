"""Requests that were judged in a rehearsal, in a form that is the same after every rehearsal."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from iam_mutation.stacks import ACCOUNT
from mlops_constructs.local_aws.iam.request import Context, Principal, Request

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PLACEHOLDER = re.compile(r"\{[a-z: -]+\}")
"""Stands for a name of a pipeline."""

# What every call here has, or the principal brings, is added again when a request is judged; and no policy asks for
# which object a key is used.
_LEFT_OUT = {
    *("aws:currenttime", "aws:epochtime", "aws:sourceip", "aws:securetransport", "aws:requestedregion"),
    "kms:encryptioncontext:aws:s3:arn",
}
_ALWAYS = Context(
    {"aws:SecureTransport": "true", "aws:RequestedRegion": "us-east-1", "aws:CurrentTime": "2026-01-01T00:00:00Z"}
)
_NAMES = (
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "ID"),
    # Names that CloudFormation chooses.
    (re.compile(r"(:model/|:endpoint-config/|:scalable-target/|:alarm:)(.+)-[A-Za-z0-9]{12}$"), r"\1\2-ID"),
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
    def of(cls, request: Request) -> Recorded:
        """Take what does not change from one rehearsal to the next."""
        own = {key for key, _ in request.principal.context().items()} | _LEFT_OUT
        context = {key: values for key, values in request.context.items() if key not in own}
        who = request.principal.role_arn or request.principal.arn
        return cls(who, request.action, request.resource, tuple(sorted(context.items())))

    @property
    def is_complete(self) -> bool:
        """Whether no placeholder is left in it."""
        return PLACEHOLDER.search(self.line()) is None

    def renamed(self, rename: Callable[[str], str]) -> Recorded:
        """Give the request with other names."""
        context = ((key, tuple(sorted(map(rename, values)))) for key, values in self.context)
        return Recorded(rename(self.principal), self.action, rename(self.resource), tuple(context))

    def request(self) -> Request:
        """Give the request to be judged again."""
        is_role = self.principal.startswith("arn:")
        principal = Principal.role_session(self.principal, "s") if is_role else Principal.service(self.principal)
        owner = self.resource.split(":")[4] if self.resource.count(":") > 4 else ""
        context = _ALWAYS.under(Context(dict(self.context)))
        return Request(principal, self.action, self.resource, owner or ACCOUNT, context)

    def line(self) -> str:
        """Give the request as text."""
        return json.dumps([self.principal, self.action, self.resource, dict(self.context)])


Rows = dict[Recorded, set[str]]
"""Requests with placeholders for names, and the pipelines whose rehearsals have shown each."""


def steady(text: str) -> str:
    """Put words in the place of ids and times."""
    for pattern, word in _NAMES:
        text = pattern.sub(word, text)
    return text


def read(path: Path) -> Rows:
    """Read the requests of a file; none where there is no file."""
    rows: Rows = {}
    for line in path.read_text().splitlines() if path.exists() else []:
        principal, action, resource, context, pipelines = json.loads(line)
        keys = tuple((key, tuple(values)) for key, values in context.items())
        rows[Recorded(principal, action, resource, keys)] = set(pipelines)
    return rows


def write(path: Path, rows: Rows) -> None:
    """Write requests, one a line, in order."""
    lines = (
        json.dumps([one.principal, one.action, one.resource, dict(one.context), sorted(rows[one])])
        for one in sorted(rows)
    )
    path.write_text("".join(f"{line}\n" for line in lines))
