"""The columns that a data contract declares, as environment variables of the training job.

A file beside the data would be read as data by containers that read every file of a channel, and a channel of its own
would be refused by built-in algorithms. A variable disturbs no container.
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateTrainingJob.html
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from check_dataset.contract import Contract

VARIABLE = "MLOPS_COLUMNS"
MAX_VALUE_CHARACTERS = 512
MAX_VARIABLES = 8


def variables(contract: Contract) -> dict[str, str]:
    """``MLOPS_COLUMNS``, continued in ``MLOPS_COLUMNS_2`` and so on; empty for a contract without columns.

    When the names are too long for that, they are left out; header and label are always told.
    """
    if not contract.columns:
        return {}
    known = {
        "header": contract.header,
        "label": contract.names[contract.label_index],
        "label_index": contract.label_index,
    }
    text = json.dumps({"names": contract.names, **known})
    if len(text) > MAX_VALUE_CHARACTERS * MAX_VARIABLES:
        text = json.dumps({"names": None, **known})
    parts = [text[start : start + MAX_VALUE_CHARACTERS] for start in range(0, len(text), MAX_VALUE_CHARACTERS)]
    return {VARIABLE if number == 1 else f"{VARIABLE}_{number}": part for number, part in enumerate(parts, start=1)}
