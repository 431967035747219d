"""Which commands of a `RUN` can be executed here, and where one ends."""

from __future__ import annotations

import pytest

from mlops_constructs.local_aws.containers.run_commands import commands_of


@pytest.mark.parametrize(
    ("script", "parts"),
    [
        ("a && b; c\nd", ["a", "b", "c", "d"]),
        ("echo 'a && b' && c", ["echo 'a && b'", "c"]),
        ('echo "a;b" ; c', ['echo "a;b"', "c"]),
        ("echo a\\;b && c", ["echo a\\;b", "c"]),
        ("(cd x && ls) && y", ["(cd x && ls)", "y"]),
        ("a \\\n  b && c", ["a    b", "c"]),
        ("a || b", ["a || b"]),
        ("if [ -f x ]; then a; else b; fi; c", ["if [ -f x ]; then a; else b; fi", "c"]),
        ("for f in a b; do touch $f; done && c", ["for f in a b; do touch $f; done", "c"]),
        ("", []),
    ],
)
def test_a_script_is_split_where_a_command_ends(script: str, parts: list[str]) -> None:
    assert [command.text for command in commands_of(script)] == parts


@pytest.mark.parametrize(
    ("text", "packages"),
    [
        ("apt-get -y install --no-install-recommends nginx wget=1.2", ("nginx", "wget")),
        ("apk add --no-cache py3-numpy", ("py3-numpy",)),
        ("sudo apt-get install nginx", ("nginx",)),
        ("DEBIAN_FRONTEND=noninteractive apt-get install -y nginx", ("nginx",)),
        ("apt-get update", ()),
        ("curl https://example.com/key | apt-key add -", ()),
        ("useradd -m model", ()),
        ("if true; then yum install x; fi", ()),
    ],
)
def test_what_changes_an_operating_system_is_not_possible(text: str, packages: tuple[str, ...]) -> None:
    (command,) = commands_of(text)
    assert not command.is_possible
    assert command.packages == packages


@pytest.mark.parametrize("text", ["chmod +x train", "mkdir -p /opt/x", "echo apt-get", "ln -s a b", "rm -rf /var/lib"])
def test_what_changes_files_is_possible(text: str) -> None:
    (command,) = commands_of(text)
    assert command.is_possible
    assert not command.is_pip


@pytest.mark.parametrize(
    "text",
    [
        "pip install numpy",
        "pip3 --no-cache-dir install -r r.txt",
        "python3.12 -m pip install .",
        "/opt/venv/bin/pip install x",
        "if [ -f r.txt ]; then pip install -r r.txt; fi",
    ],
)
def test_installations_of_python_packages_are_known(text: str) -> None:
    (command,) = commands_of(text)
    assert command.is_pip


@pytest.mark.parametrize("text", ["pip list", "echo pip", "pip download x"])
def test_other_commands_of_pip_are_no_installations(text: str) -> None:
    (command,) = commands_of(text)
    assert not command.is_pip


@pytest.mark.parametrize(
    ("text", "folder"),
    [
        ("python -m venv --without-pip /opt/packages", "/opt/packages"),
        ("python3 -m venv venv", "venv"),
        ("virtualenv /env", "/env"),
        ("python -m venvs x", None),
        ("python -m pip install venv", None),
    ],
)
def test_a_virtual_environment_is_known_by_its_folder(text: str, folder: str | None) -> None:
    (command,) = commands_of(text)
    assert command.virtual_environment == folder
