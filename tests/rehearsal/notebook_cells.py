"""Execute the notebooks as a person on the notebook instance does: from the folder its start script filled."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat
from nbclient import NotebookClient

from mlops_constructs.local_aws.roles import role_credentials

if TYPE_CHECKING:
    from mlops_constructs.local_aws.local_aws import LocalAws

# Runs in the kernel before a notebook's first cell: every call of boto3 is written down, with its parameters.
RECORD = """
import json, boto3
_session = boto3.Session.client
def _client(self, *args, **options):
    client = _session(self, *args, **options)
    def record(params, model, **_):
        with open({path!r}, "a") as log:
            log.write(json.dumps([model.service_model.signing_name, model.name, params], default=str) + "\\n")
    client.meta.events.register("provide-client-params", record)
    return client
boto3.Session.client = _client
"""


class NotebookInstance:
    """The deployed notebook instance's disk, in a folder."""

    def __init__(self, root: Path, aws: LocalAws, pipeline: str) -> None:
        """Run the deployed start script."""
        self.home, self._root, self._aws = root / "home/ec2-user/SageMaker", root, aws
        self.home.mkdir(parents=True)
        sagemaker = aws.client("sagemaker")
        self.described: dict[str, Any] = sagemaker.describe_notebook_instance(NotebookInstanceName=pipeline)
        lifecycle = sagemaker.describe_notebook_instance_lifecycle_config(
            NotebookInstanceLifecycleConfigName=self.described["NotebookInstanceLifecycleConfigName"]
        )
        self.script = base64.b64decode(lifecycle["OnStart"][0]["Content"]).decode()
        self._environment = self._make_environment()
        self._start()

    @property
    def notebooks(self) -> list[Path]:
        """What the start put in place, in the order of the story."""
        return sorted((self.home / "mlops-notebooks").glob("*.ipynb"))

    def calls(self) -> list[tuple[str, str, dict[str, Any]]]:
        """Give service, operation and parameters of every call that a cell made."""
        lines = (self._root / "calls").read_text().splitlines()
        return [(service, name, params) for service, name, params in map(json.loads, lines)]

    def execute(self, path: Path) -> str:
        """Run every cell; give what they printed."""
        notebook = nbformat.read(path, as_version=4)
        recorder = RECORD.format(path=str(self._root / "calls"))
        notebook.cells.insert(0, nbformat.v4.new_code_cell(recorder))
        client = NotebookClient(
            notebook, kernel_name="python3", timeout=300, resources={"metadata": {"path": str(path.parent)}}
        )
        client.execute(env=self._environment)
        outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
        return "".join(output.get("text", "") for output in outputs)

    def _make_environment(self) -> dict[str, str]:
        credentials = role_credentials(self._aws.account, self.described["RoleArn"], "notebook")
        search = os.pathsep.join([str(self._root / "stand-ins"), str(Path(sys.executable).parent), os.environ["PATH"]])
        return {
            **os.environ,
            "PATH": search,
            "HOME": str(self._root),
            "IPYTHONDIR": str(self._root / "ipython"),
            "AWS_ENDPOINT_URL": self._aws.url,
            "AWS_ACCESS_KEY_ID": credentials["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": credentials["SecretAccessKey"],
            "AWS_SESSION_TOKEN": credentials["SessionToken"],
        }

    def _start(self) -> None:
        script = self.script
        for path in ("/usr/local/bin", "/etc/systemd/system", "/home/ec2-user/SageMaker"):
            (self._root / path[1:]).mkdir(parents=True, exist_ok=True)
            script = script.replace(path, f"{self._root}{path}")
        stand_ins = self._root / "stand-ins"
        stand_ins.mkdir()
        for name, program in {"systemctl": "exit 0", "sudo": 'shift 2; exec "$@"'}.items():
            (stand_ins / name).write_text(f"#!/bin/bash\n{program}\n")
            (stand_ins / name).chmod(0o755)
        subprocess.run(["bash", "-c", script], env=self._environment, check=True)
