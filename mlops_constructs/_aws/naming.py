"""Names within AWS limits, the same at every synth, and different for every pipeline."""

from __future__ import annotations

import hashlib
import re

# CodePipeline names the folder of a pipeline's artifacts after the first 20 characters of its name: with 19, the
# folders of `<name>` and of `<name>-image` differ, and each holds the whole hash.
# https://docs.aws.amazon.com/codepipeline/latest/userguide/troubleshooting.html
_PREFIX_LENGTH = 12
_HASH_LENGTH = 6
_FOLDER_LENGTH = 20
# Parameters of SSM may not begin so, whatever the case.
# https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-su-create.html
_RESERVED = ("aws", "ssm")


def physical_name(prefix: str, path: str) -> str:
    """Make the name that all resources of a pipeline start with, at most 19 characters of ``[a-z0-9-]``.

    No name begins with another one and a hyphen: a policy for ``<name>-*`` covers one pipeline only.

    Args:
        prefix: What a person should recognise; other characters become hyphens, and the length is cut.
        path: Construct path, unique in the app; its hash keeps two pipelines apart.
    """
    readable = re.sub(r"[^a-z0-9]+", "-", prefix.lower()).strip("-")
    if not readable or not readable[0].isalpha() or readable.startswith(_RESERVED):
        readable = f"p-{readable}"
    digest = hashlib.sha256(path.encode()).hexdigest()[:_HASH_LENGTH]
    return f"{_cut(readable, _PREFIX_LENGTH)}-{digest}"


def dead_letters_name(name: str) -> str:
    """Give the name of a pipeline's queue of undelivered events."""
    return f"{name}-dead-letters"


def artifact_folder(codepipeline: str) -> str:
    """Give the folder that CodePipeline keeps a pipeline's artifacts in."""
    return codepipeline[:_FOLDER_LENGTH]


def tuning_prefix(name: str) -> str:
    """Shorten a physical name to 16 characters: a tuning job's name has at most 32, of which 16 tell the execution."""
    readable, _, digest = name.rpartition("-")
    return f"{_cut(readable, 9)}-{digest}"


def _cut(readable: str, length: int) -> str:
    """Cut; what then looks like the hash of another name is joined to what stands before it."""
    return re.sub(rf"-(?=[0-9a-f]{{{_HASH_LENGTH}}}(?:-|$))", "", readable[:length].strip("-"))
