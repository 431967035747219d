"""What can be broken on purpose, one thing of each kind, in the code that is deployed: each must be found."""

from __future__ import annotations

import io
import zipfile
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from release_soak.steps import HAND, INTERRUPT, Step

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from release_soak.site import Site


@dataclass(frozen=True)
class Break:
    """A bug.

    Attributes:
        kind: What kind of bug it is.
        function: The function that has it.
        module: File in its archive.
        before: What the file contains.
        after: What it contains instead.
        shown: The fewest steps that show it.
        said: What is found then.
    """

    kind: str
    function: str
    module: str
    before: str
    after: str
    shown: Sequence[Step]
    said: str


BREAKS = {
    "claim-ignored": Break(
        "idempotence: an upload that is told twice is trained twice",
        "check-dataset",
        "check_dataset/uploads.py",
        'return None if existing["execution_id"] == params.execution_id else str(existing["execution_id"])',
        "return None",
        [Step(fault="twice-event:Object Created:times=99")],
        "was trained by the executions",
    ),
    "record-read-strictly": Break(
        "stuck state: one release record that cannot be read stops all later releases",
        "record-release",
        "handler_kit/releases.py",
        "                continue\n            if record",
        "                raise\n            if record",
        [Step(), Step(HAND, thing="damage record")],
        "and a release fails without naming a command",
    ),
    "production-not-asked": Break(
        "untrue record: what production runs is marked Rejected when a later action fails",
        "record-decision",
        "record_decision/record.py",
        "    found = {package_in_production(services.cloudformation, settings.production_stack)}",
        "    found: set[str | None] = set()",
        [Step(fault="refuse:s3.PutObject:SlowDown:caller=record-release:times=20")],
        "which is Rejected",
    ),
    "jobs-not-stopped": Break(
        "unbounded resource: the training of an execution that was stopped runs on",
        "stop-training",
        "stop_training/handler.py",
        "if job.can_be_stopped:",
        "if False:",
        [Step(INTERRUPT, thing="slow training", whole=True)],
        "still runs",
    ),
    "claim-by-key": Break(
        "silent loss: a new upload to a key is taken for the last one, and dropped",
        "check-dataset",
        "check_dataset/uploads.py",
        "upload = json.dumps([params.bucket, params.key, params.version_id])",
        "upload = json.dumps([params.bucket, params.key])",
        [Step(), Step()],
        "nothing was made of the version",
    ),
}


@contextmanager
def broken(site: Site, name: str) -> Iterator[None]:
    """Deploy a function with a bug; in the end it is deployed as it was."""
    bug = BREAKS[name]
    function = f"{site.name}-{bug.function}"
    before = _archive(site, function)
    client = site.client("lambda")
    client.update_function_code(FunctionName=function, ZipFile=_changed(before, bug))
    try:
        yield
    finally:
        client.update_function_code(FunctionName=function, ZipFile=before)


def _archive(site: Site, function: str) -> bytes:
    key = f"functions/{function}.zip"
    body: bytes = site.client("s3").get_object(Bucket=site.deployed.artifact_bucket, Key=key)["Body"].read()
    return body


def _changed(archive: bytes, bug: Break) -> bytes:
    changed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as before, zipfile.ZipFile(changed, "w") as after:
        for member in before.namelist():
            content = before.read(member)
            if member == bug.module:
                text = content.decode()
                assert text.count(bug.before) == 1, f"{bug.module} has not once: {bug.before}"
                content = text.replace(bug.before, bug.after).encode()
            after.writestr(member, content)
    return changed.getvalue()
