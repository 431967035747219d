"""Runs the script of ``Algorithm.from_script``, then stores its source in the model, where endpoints look for it.

It is packed beside the script, and runs with the Python of AWS's image. The toolkit calls it as it would call the
script: with the hyperparameters as arguments, once for each process of a distributed training.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tarfile
from pathlib import Path

# Replaced when the source is packed.
ENTRY_POINT = "train.py"
# An endpoint has no network to install packages from; its server would wait for them until the deployment fails.
LEFT_OUT = ("mlops_entry_point.py", "requirements.txt", "setup.py")
# The process on its host, by PyTorch's and Open MPI's names.
LOCAL_RANKS = ("LOCAL_RANK", "OMPI_COMM_WORLD_LOCAL_RANK")


def main(arguments: list[str]) -> int:
    """Run the script; return its exit code."""
    code = run(arguments)
    if code == 0 and all(os.environ.get(name, "0") == "0" for name in LOCAL_RANKS):
        keep_source(Path(os.environ["SM_MODEL_DIR"]) / "code")
    return code


def run(arguments: list[str]) -> int:
    """Run the script in a process of its own, as the toolkit would: its end is its own."""
    os.environ["SM_USER_ENTRY_POINT"] = ENTRY_POINT
    os.environ["SM_MODULE_NAME"] = ENTRY_POINT.rpartition(".")[0]
    interpreter = "/bin/sh" if ENTRY_POINT.endswith(".sh") else sys.executable
    process = subprocess.Popen([interpreter, ENTRY_POINT, *arguments])
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda received, _: process.send_signal(received))
    code = process.wait()
    return code if code >= 0 else 128 - code


def keep_source(folder: Path) -> None:
    """Unpack the source into a folder of the model, unless the script has made one there."""
    if folder.exists():
        return
    with tarfile.open(Path(os.environ["SM_CHANNEL_CODE"]) / "sourcedir.tar.gz") as source:
        kept = [member for member in source.getmembers() if member.name not in LEFT_OUT]
        source.extractall(folder, members=kept)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
