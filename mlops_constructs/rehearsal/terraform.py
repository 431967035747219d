"""Real Terraform with the real AWS provider, pointed at the local AWS."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_constructs.errors import RehearsalError
from mlops_constructs.local_aws.credentials import ACCESS_KEY_ID, SECRET_ACCESS_KEY
from mlops_constructs.local_aws.user_cache import hold
from mlops_constructs.rehearsal.diagnostics import errors_in, failure
from mlops_constructs.rehearsal.provider_mirror import PROVIDERS, cache_dir, find_mirror, searched_places
from mlops_constructs.rehearsal.provider_process import ProviderProcess, start_provider

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator, Mapping

    from mlops_constructs.local_aws.processes import ChildProcesses

_OVERRIDE = "rehearsal_override.tf.json"
_STOP_SECONDS = 5


def find_program() -> Path:
    """Return the path of ``terraform``, or of OpenTofu's ``tofu``.

    Raises:
        RehearsalError: when PATH has neither.
    """
    for name in ("terraform", "tofu"):
        found = shutil.which(name)
        if found:
            return Path(found)
    raise RehearsalError(
        "no terraform (or tofu) on PATH: install Terraform 1.5 or newer, "
        "https://developer.hashicorp.com/terraform/install"
    )


@dataclass(slots=True)
class Terraform:
    """One working folder: a copy of a synthesized stack, with the provider's settings in an override file.

    Attributes:
        folder: Working folder, created by ``prepare``.
        environment: Environment of each command.
        processes: Starts and ends the commands, each with the provider that it starts.
        program: The program.
        on_event: Called with each message of Terraform's machine-readable output.
    """

    folder: Path
    environment: Mapping[str, str]
    processes: ChildProcesses
    on_event: Callable[[dict[str, Any]], None]
    program: Path = field(default_factory=find_program)
    _child: subprocess.Popen[bytes] | None = None
    _provider: ProviderProcess | None = None

    def prepare(self, stack: Path) -> None:
        """Copy the synthesized stack here and point its providers to the local AWS, without editing the stack."""
        shutil.copytree(stack, self.folder, dirs_exist_ok=True)
        document = json.loads((stack / "cdk.tf.json").read_text(encoding="utf-8"))
        (self.folder / _OVERRIDE).write_text(json.dumps(_override(document), indent=2), encoding="utf-8")

    def init(self) -> str:
        """Install the provider; return a sentence that says where it came from.

        Raises:
            RehearsalError: when neither a mirror nor the registry has it.
        """
        hold(PROVIDERS)
        version = self._provider_version()
        mirror = find_mirror(version) if version else None
        config = self.folder / "rehearsal.tfrc"
        if mirror is not None:
            config.write_text(_mirror_config(mirror), encoding="utf-8")
            self.environment = {**self.environment, "TF_CLI_CONFIG_FILE": str(config)}
            where = f"provider hashicorp/aws {version} from {mirror}"
        else:
            cache_dir().mkdir(parents=True, exist_ok=True)
            self.environment = {**self.environment, "TF_PLUGIN_CACHE_DIR": str(cache_dir())}
            where = f"provider hashicorp/aws {version} from its registry"
        code, output = self._plain("init", "-input=false", "-no-color")
        if code != 0:
            reason = output.strip().splitlines()
            raise RehearsalError(
                f"terraform init found no AWS provider {version}. Searched {searched_places()}, then the "
                "registry. Connect to the network, or set TF_PLUGIN_CACHE_DIR to a folder that contains it.\n"
                + "\n".join(reason[-8:])
            )
        self._provider = start_provider(self.folder, self.environment, self.processes)
        if self._provider is not None:
            self.environment = {**self.environment, **self._provider.environment}
        return where

    def validate(self) -> None:
        """Check the configuration against the provider's schema."""
        # Unlike the other commands, it prints one document, not one message per line.
        code, output = self._plain("validate", "-json")
        if code != 0:
            raise failure("validate", errors_in(output), code)

    def apply(self) -> None:
        """Make everything."""
        self._run("apply", "-auto-approve", "-input=false")

    def drift(self, *, refresh: bool = True) -> list[str]:
        """Plan again; return what Terraform would change. Without ``refresh`` it believes its state."""
        changes: list[str] = []

        def collect(event: dict[str, Any]) -> None:
            if event.get("type") == "planned_change":
                change = event["change"]
                changes.append(f"{change['action']} {change['resource']['addr']}")

        self._run("plan", "-input=false", f"-refresh={str(refresh).lower()}", also=collect)
        return changes

    def destroy(self) -> None:
        """Delete everything in this folder's state."""
        self._run("destroy", "-auto-approve", "-input=false")

    def resources(self) -> list[str]:
        """Return the addresses in the state."""
        code, output = self._plain("state", "list")
        return output.split() if code == 0 else []

    def stop(self) -> None:
        """End a running command, with the provider that it started."""
        child = self._child
        if child is not None and child.poll() is None:
            self.processes.end(child, _STOP_SECONDS)

    def close(self) -> None:
        """End everything that still runs."""
        self.stop()
        if self._provider is not None:
            self._provider.close()
            self._provider = None

    def _provider_version(self) -> str:
        document = json.loads((self.folder / "cdk.tf.json").read_text(encoding="utf-8"))
        return str(document["terraform"]["required_providers"].get("aws", {}).get("version", ""))

    def _run(self, command: str, *arguments: str, also: Callable[[dict[str, Any]], None] | None = None) -> None:
        errors: list[str] = []
        for line in self._lines(command, "-json", *arguments):
            errors += errors_in(line)
            if not line.startswith("{"):
                continue
            event = json.loads(line)
            self.on_event(event)
            if also is not None:
                also(event)
        assert self._child is not None
        if self._child.returncode != 0:
            raise failure(command, errors, self._child.returncode)

    def _plain(self, *arguments: str) -> tuple[int, str]:
        output = "".join(f"{line}\n" for line in self._lines(*arguments))
        assert self._child is not None
        return self._child.returncode, output

    def _lines(self, *arguments: str) -> Iterator[str]:
        # In its own process group, so that Ctrl-C does not reach it: this process ends it, with its provider.
        child = self.processes.start([self.program, *arguments], cwd=self.folder, env=self.environment)
        self._child = child
        assert child.stdout is not None
        with child.stdout as output:
            try:
                for line in output:
                    yield line.decode(errors="replace").rstrip("\n")
                child.wait()
            except BaseException:
                self.stop()
                raise


def _override(document: dict[str, Any]) -> dict[str, Any]:
    settings = {
        "access_key": ACCESS_KEY_ID,
        "secret_key": SECRET_ACCESS_KEY,
        "skip_metadata_api_check": "true",
        "s3_use_path_style": True,
    }
    blocks = document.get("provider", {}).get("aws", [])
    blocks = blocks if isinstance(blocks, list) else [blocks]
    aliases = [block.get("alias") for block in blocks]
    return {
        "provider": {"aws": [{**settings, **({"alias": alias} if alias else {})} for alias in aliases]},
        # The rehearsal keeps its own state, whatever the stack's backend is.
        "terraform": {"backend": {"local": {"path": "terraform.tfstate"}}},
    }


def _mirror_config(mirror: Path) -> str:
    return (
        "provider_installation {\n"
        f'  filesystem_mirror {{\n    path    = "{mirror.as_posix()}"\n    include = ["hashicorp/aws"]\n  }}\n'
        '  direct {\n    exclude = ["hashicorp/aws"]\n  }\n'
        "}\n"
    )


def terraform_environment(url: str, region: str, scratch: Path) -> dict[str, str]:
    """Return the environment in which Terraform's AWS provider calls the local AWS at ``url``.

    Temporary files go to ``scratch``: a killed provider leaves its socket there.
    """
    # On some systems the path of a Unix socket may have only 103 bytes; the provider's socket name needs about 20.
    temporary = {"TMPDIR": str(scratch)} if len(os.fsencode(scratch)) < 80 else {}
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "TF_"))}
    return {
        **kept,
        "AWS_ENDPOINT_URL": url,
        "AWS_REGION": region,
        "AWS_EC2_METADATA_DISABLED": "true",
        "CHECKPOINT_DISABLE": "1",
        # The schema of the provider fills half a gigabyte; collecting it at the default costs a fifth of the CPU time.
        "GOGC": os.environ.get("GOGC", "400"),
        **temporary,
        "TF_IN_AUTOMATION": "1",
    }
