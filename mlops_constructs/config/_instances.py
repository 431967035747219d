"""What differs between SageMaker's instance families."""

from __future__ import annotations

import re

# https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/InstanceStorage.html
_NVME = re.compile(r"ml\.(?:[a-z]+\d+[a-z]*d[a-z]*|g[4-9]e?|p[4-9][a-z]*(?:-[a-z0-9]+)?|trn\w+)\.")


def has_own_disks(instance_type: str) -> bool:
    """Tell whether the instances have NVMe disks, which hardware encrypts and which refuse a KMS key."""
    return _NVME.match(instance_type) is not None


def processor_of(instance_type: str) -> str:
    """Return the processor as AWS's images name it: ``cpu``, ``gpu``, ``graviton``, ``inf`` or ``trn``.

    A ``g`` after the generation is AWS's own processor, for which there are other images.
    https://docs.aws.amazon.com/ec2/latest/instancetypes/instance-type-names.html
    """
    family = instance_type.removeprefix("ml.")
    if family.startswith(("inf", "trn")):
        return family[:3]
    if re.match(r"[a-z]+\d+[a-z]*?g[a-z]*\.", family) and family[:1] not in ("g", "p"):
        return "graviton"
    return "gpu" if family[:1] in ("g", "p") else "cpu"
