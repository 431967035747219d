"""The AWS provider, started once for all commands of a rehearsal."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from mlops_constructs.local_aws.processes import ChildProcesses

REATTACH = "TF_REATTACH_PROVIDERS"
_STOP_SECONDS = 5
_ANNOUNCED = re.compile(rf"{REATTACH}='(.*)'")
# The provider has no parent that would end it: Terraform did not start it. It ends with the pipe that this process
# holds, so that it does not outlive a rehearsal that is killed; by SIGINT, because SIGTERM leaves its socket behind.
_UNTIL_THE_PIPE_CLOSES = 'exec 3<&0; (cat <&3; kill -INT $$) >/dev/null 2>&1 & exec "$0" -debug 2>/dev/null 3<&-'


def start_provider(folder: Path, environment: Mapping[str, str], processes: ChildProcesses) -> ProviderProcess | None:
    """Start the provider that ``terraform init`` installed, as a server that Terraform's commands connect to.

    Terraform starts a provider two or three times in each command, which costs more CPU time than all that a rehearsal
    deploys. https://developer.hashicorp.com/terraform/plugin/debugging#starting-a-provider-in-debug-mode

    Args:
        folder: Working folder of Terraform.
        environment: Environment of the provider: it reads the endpoint of AWS there.
        processes: Starts and ends it.

    Returns:
        None where Terraform has to start its providers itself: one process holds one configuration, so that a stack
        with several configurations of the provider needs several.
    """
    document = json.loads((folder / "cdk.tf.json").read_text(encoding="utf-8"))
    installed = sorted(folder.glob(".terraform/providers/*/hashicorp/aws/*/*/terraform-provider-aws*"))
    shell = shutil.which("sh")
    if _configurations(document) != 1 or len(installed) != 1 or shell is None:
        return None
    process = processes.start(
        [shell, "-c", _UNTIL_THE_PIPE_CLOSES, installed[0].resolve()],
        cwd=folder,
        env=environment,
        stdin=subprocess.PIPE,
    )
    # registry.terraform.io/hashicorp/aws; OpenTofu's registry has another name than the one that the provider prints.
    source = "/".join(installed[0].relative_to(folder / ".terraform" / "providers").parts[:3])
    server = _server(process)
    provider = ProviderProcess(process, processes, {REATTACH: json.dumps({source: server})})
    if server is None:
        provider.close()
        return None
    return provider


class ProviderProcess:
    """A running provider.

    Attributes:
        environment: The variable with which Terraform connects to it.
    """

    def __init__(
        self, process: subprocess.Popen[bytes], processes: ChildProcesses, environment: dict[str, str]
    ) -> None:
        self.environment = environment
        self._process, self._processes = process, processes

    def close(self) -> None:
        """End it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_STOP_SECONDS)
        self._processes.end(self._process, _STOP_SECONDS)
        self._process.stdout.close()


def _configurations(document: Mapping[str, Any]) -> int:
    blocks = document.get("provider", {}).get("aws", [])
    return len(blocks) if isinstance(blocks, list) else 1


def _server(process: subprocess.Popen[bytes]) -> dict[str, Any] | None:
    """Return protocol and address, as the provider prints them; None when it ended before."""
    assert process.stdout is not None
    for line in process.stdout:
        if match := _ANNOUNCED.search(line.decode(errors="replace")):
            (server,) = json.loads(match.group(1)).values()
            return dict(server)
    return None
