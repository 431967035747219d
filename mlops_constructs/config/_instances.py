"""What differs between SageMaker's instance families."""

from __future__ import annotations

import re

# https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/InstanceStorage.html
_NVME = re.compile(r"ml\.(?:[a-z]+\d+[a-z]*d[a-z]*|g[4-9]e?|p[4-9][a-z]*(?:-[a-z0-9]+)?|trn\w+)\.")


def has_own_disks(instance_type: str) -> bool:
    """Tell whether the instances have NVMe disks, which hardware encrypts and which refuse a KMS key."""
    return _NVME.match(instance_type) is not None


def processor_of(instance_type: str) -> str:
    """Return what AWS's images call the processor of an instance type: ``cpu``, ``gpu``, ``inf`` or ``trn``.

    https://docs.aws.amazon.com/sagemaker/latest/dg/notebooks-available-instance-types.html
    """
    family = instance_type.removeprefix("ml.")
    if family.startswith(("inf", "trn")):
        return family[:3]
    return "gpu" if family[:1] in ("g", "p") else "cpu"
