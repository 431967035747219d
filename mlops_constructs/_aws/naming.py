"""Names within AWS limits: the same at every synth, and different for every pipeline."""

from __future__ import annotations

import hashlib
import re

# CodePipeline names the folder of a pipeline's artifacts after the first 20 characters of its name. With names of 19
# characters, the folders of `<name>` and of `<name>-image` differ, and each contains the whole hash.
# https://docs.aws.amazon.com/codepipeline/latest/userguide/troubleshooting.html
_PREFIX_LENGTH = 12
_HASH_LENGTH = 6
_FOLDER_LENGTH = 20
# Names of SSM parameters must not begin with these, in upper or lower case.
# https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-su-create.html
_RESERVED = ("aws", "ssm")


def physical_name(prefix: str, path: str) -> str:
    """Make the name that the names of all resources of a pipeline start with: at most 19 characters of ``[a-z0-9-]``.

    No such name begins with another such name and a hyphen: a policy for ``<name>-*`` covers one pipeline only.

    Args:
        prefix: What a person should recognise; other characters become hyphens, and it is cut to 12 characters.
        path: Construct path, unique in the app; its hash makes the names of two pipelines differ.
    """
    readable = re.sub(r"[^a-z0-9]+", "-", prefix.lower()).strip("-")
    if not readable or not readable[0].isalpha() or readable.startswith(_RESERVED):
        readable = f"p-{readable}"
    digest = hashlib.sha256(path.encode()).hexdigest()[:_HASH_LENGTH]
    return f"{_cut(readable, _PREFIX_LENGTH)}-{digest}"


def dead_letters_name(name: str) -> str:
    """Return the name of a pipeline's dead-letter queue."""
    return f"{name}-dead-letters"


def source_parameter(name: str) -> str:
    """Return the name of the SSM parameter with the digest of a pipeline's script."""
    return f"/{name}/source"


def artifact_folder(codepipeline: str) -> str:
    """Return the folder in which CodePipeline stores a pipeline's artifacts."""
    return codepipeline[:_FOLDER_LENGTH]


def tuning_prefix(name: str) -> str:
    """Shorten a physical name to 16 characters: a tuning job's name has at most 32, and 16 identify the execution."""
    readable, _, digest = name.rpartition("-")
    return f"{_cut(readable, 9)}-{digest}"


def _cut(readable: str, length: int) -> str:
    """Cut to the length; a part that then looks like the hash of another name is joined to the part before it."""
    return re.sub(rf"-(?=[0-9a-f]{{{_HASH_LENGTH}}}(?:-|$))", "", readable[:length].strip("-"))
