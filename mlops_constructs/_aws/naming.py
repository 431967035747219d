"""Names within AWS limits, the same at every synth, and different for every pipeline."""

from __future__ import annotations

import hashlib
import re

# The longest composed name is the artifact bucket, `<name>-artifacts-<account>-<region>`, at most 63 characters:
# 24 for the name leave room for a region name of 14.
_PREFIX_LENGTH = 17
_HASH_LENGTH = 6


def physical_name(prefix: str, path: str) -> str:
    """Make the name that all resources of a pipeline start with, at most 24 characters of ``[a-z0-9-]``.

    Args:
        prefix: What a person should recognise; other characters become hyphens, and the length is cut.
        path: Construct path, unique in the app; its hash keeps two pipelines apart.
    """
    readable = re.sub(r"[^a-z0-9]+", "-", prefix.lower()).strip("-")[:_PREFIX_LENGTH].strip("-")
    if not readable or not readable[0].isalpha():
        readable = f"p-{readable}"[:_PREFIX_LENGTH].strip("-")
    digest = hashlib.sha256(path.encode()).hexdigest()[:_HASH_LENGTH]
    return f"{readable}-{digest}"


def tuning_prefix(name: str) -> str:
    """Shorten a physical name to 16 characters: a tuning job's name has at most 32, of which 16 tell the execution."""
    readable, _, digest = name.rpartition("-")
    return f"{readable[:9].strip('-')}-{digest}"
