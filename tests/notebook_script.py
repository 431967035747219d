"""The notebook instance's start script, as Terraform hands it to SageMaker."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from synthesis import Synthesized


def on_start(stack: Synthesized, *, region: str = "us-east-1", bucket: str = "a-bucket") -> str:
    """Give the script with what only Terraform knows filled in: region, and the same name for every bucket."""
    expression = stack.one("aws_sagemaker_notebook_instance_lifecycle_configuration")["on_start"]
    assert re.match(r'\$\{base64encode\((replace\()+"', expression)
    script: str
    script, end = json.JSONDecoder().raw_decode(expression, expression.index('"'))
    for name, value in re.findall(r'"(@[A-Z]+@)", ([^)]+)\)', expression[end:]):
        script = script.replace(name, region if "aws_region" in value else bucket)
    return script
