"""An image is built from what its Dockerfile says, and its programs find what it says; what cannot be done is said."""

from __future__ import annotations

import os
import tarfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mlops_constructs.local_aws.containers.host import ContainerHost, ContainerRuntime
from mlops_constructs.local_aws.containers.images import ContainerError, Image
from mlops_constructs.local_aws.containers.proot import find_proot
from mlops_constructs.local_aws.containers.sandbox import sandbox_problem
from mlops_constructs.local_aws.containers.site import LocalSite

if TYPE_CHECKING:
    from collections.abc import Iterator

in_sandbox = pytest.mark.skipif(sandbox_problem() is not None, reason=f"no sandboxes here: {sandbox_problem()}")


class Workshop:
    """Builds a context, and runs programs of the image."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.context = folder / "context"
        self.context.mkdir()
        self.site = LocalSite(folder / "work")
        self.site.workdir.mkdir()
        self.lines: list[str] = []
        self.runtime: ContainerRuntime = ContainerHost(self.site, docker=False).runtime

    def write(self, files: dict[str, str]) -> None:
        for name, text in files.items():
            file = self.context / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
            file.chmod(0o755 if text.startswith("#!") else 0o644)

    def build(self, dockerfile: str, *arguments: str, **files: str) -> Image:
        self.write({"Dockerfile": dockerfile, **files})
        return self.runtime.build(self.context, self.lines.append, arguments)

    def run(self, image: Image, *words: str, program: str = "") -> tuple[int, list[str]]:
        """Exit code and lines of `docker run image words`, or of another program."""
        lines: list[str] = []
        base = self.folder / "ml"
        (base / "model").mkdir(parents=True, exist_ok=True)
        entry = [program] if program else []
        return self.runtime.run(image, base, entry, words, {}, lines.append).finish(), lines

    def shell(self, dockerfile: str, script: str, **files: str) -> list[str]:
        """What a script prints in the built image."""
        code, lines = self.run(self.build(dockerfile, **files), "-c", script, program="/bin/sh")
        assert code == 0, lines
        return lines


@pytest.fixture
def workshop(tmp_path: Path) -> Iterator[Workshop]:
    made = Workshop(tmp_path)
    yield made
    made.site.processes.close()


HELLO = "#!/bin/sh\necho hello $0 $@\n"


@in_sandbox
@pytest.mark.parametrize(
    ("dockerfile", "output"),
    [
        ("FROM x\nCOPY train /usr/local/bin/", "hello /usr/local/bin/train train"),
        ("FROM x\nCOPY . /opt/program\nENV PATH=/opt/program:$PATH", "hello /opt/program/train train"),
        ("FROM x\nWORKDIR /app\nCOPY train run\nENTRYPOINT ['/app/run']".replace("'", '"'), "hello /app/run train"),
        ("FROM x\nCOPY train /app/\nENTRYPOINT /app/train fixed", "hello /app/train fixed"),
        ('FROM x\nCOPY train /app/\nENTRYPOINT ["sh", "/app/train"]\nCMD ["serve"]', "hello /app/train train"),
        ("FROM x AS a\nCOPY train /built/\nFROM y\nCOPY --from=a /built /opt\nENV PATH=/opt", "hello /opt/train train"),
        ("ARG PLACE=/srv\nFROM x\nARG PLACE\nCOPY train $PLACE/\nENV PATH=$PLACE", "hello /srv/train train"),
        ("FROM x\nCOPY --chmod=755 plain /bin/train", "hello /usr/bin/train train"),
    ],
)
def test_a_program_is_started_as_docker_starts_it(workshop: Workshop, dockerfile: str, output: str) -> None:
    image = workshop.build(dockerfile, train=HELLO, plain=HELLO)
    assert " ".join(image.config.words(["train"])[-1:]) in ("train", "/app/train fixed")
    lines: list[str] = []
    base = workshop.folder / "ml"
    base.mkdir()
    assert workshop.runtime.train(image, base, {}, lines.append).finish() == 0
    # A shell form ignores the argument.
    assert [line.removesuffix(" train") for line in lines] == [output.removesuffix(" train")]


@in_sandbox
@pytest.mark.parametrize(
    ("dockerfile", "script", "output"),
    [
        ("FROM x\nRUN mkdir -p /opt/a && echo 1 > /opt/a/b", "cat /opt/a/b", ["1"]),
        ("FROM x\nENV A=1 B='two words'\nENV C $B!", 'echo "$A $B $C"', ["1 two words two words!"]),
        ("FROM x\nWORKDIR /a\nWORKDIR b\nRUN pwd > here", "cat /a/b/here", ["/a/b"]),
        ("FROM x\nCOPY a.txt b.txt /opt/\nRUN rm /opt/a.txt", "ls /opt/*.txt", ["/opt/b.txt"]),
        ("FROM x\nADD files.tar /opt/", "cat /opt/inside.txt", ["packed"]),
        ("FROM x\nCOPY <<EOF /opt/note\nhi $HOME\nEOF", "cat /opt/note", ["hi "]),
        ("FROM x\nRUN <<EOF\necho 1 > /one\necho 2 >> /one\nEOF", "cat /one", ["1", "2"]),
        ("FROM x\nRUN <<EOF\n#!/usr/bin/env python3\nopen('/one', 'w').write('2')\nEOF", "cat /one", ["2"]),
        ("ARG N=A\nFROM x\nARG N\nENV $N=1", 'echo "$A"', ["1"]),
        ('FROM x\nSHELL ["/bin/sh", "-ec"]\nRUN false || echo saved > /one', "cat /one", ["saved"]),
        ("FROM x\nCOPY sub /opt/", "ls /opt/deep.txt", ["/opt/deep.txt"]),
        ("FROM x\nRUN ln -s /opt/target /opt/link\nCOPY a.txt /opt/link/", "ls /opt/target", ["a.txt"]),
    ],
)
def test_what_the_dockerfile_makes_is_there(
    workshop: Workshop, dockerfile: str, script: str, output: list[str]
) -> None:
    with tarfile.open(workshop.context / "files.tar", "w") as archive:
        inside = workshop.folder / "inside.txt"
        inside.write_text("packed\n")
        archive.add(inside, "inside.txt")
    files = {"a.txt": "a", "b.txt": "b", "sub/deep.txt": "c"}
    workshop.write(files)
    assert workshop.shell(dockerfile, script) == output


@in_sandbox
def test_ignored_files_are_not_copied(workshop: Workshop) -> None:
    workshop.write({".dockerignore": "*.txt\n!keep.txt\nsecret\n", "a.txt": "", "keep.txt": "", "secret/key": ""})
    assert workshop.shell("FROM x\nCOPY . /opt/here", "cd /opt/here; find . -name '*.txt' -o -name key") == [
        "./keep.txt"
    ]


def test_what_cannot_be_done_is_said_by_line_and_the_build_goes_on(workshop: Workshop) -> None:
    image = workshop.build(
        "FROM ubuntu:24.04\nRUN apt-get update && apt-get install -y sh no-such-program && true\nUSER model\n"
        "COPY --from=other/image /x /y\nADD https://example.com/a /b\n"
    )
    here = "this machine's system and Python "
    assert image.config.omitted[0].startswith(f"Dockerfile line 1: the base image ubuntu:24.04 is not used: {here}")
    assert image.config.omitted[1:] == [
        "Dockerfile line 2: apt-get update: not executed, because it changes an operating system that is not used here",
        "Dockerfile line 2: apt-get install -y sh no-such-program: not installed (on this machine: sh; maybe missing:"
        " no-such-program)",
        "Dockerfile line 3: USER model: the programs run as the user of this machine",
        "Dockerfile line 4: the files of the image other/image are not copied: it is not on this machine",
        "Dockerfile line 5: https://example.com/a is not downloaded",
    ]
    assert set(image.config.omitted) <= set(workshop.lines)


@in_sandbox
def test_a_program_that_misses_something_is_told_what_was_not_done(workshop: Workshop) -> None:
    image = workshop.build(
        "FROM x\nRUN apt-get install nginx-of-nobody\nCOPY train /bin/", train="#!/bin/sh\nnginx-x\n"
    )
    _, lines = workshop.run(image, "train")
    assert any("not found" in line for line in lines)
    assert any("apt-get install nginx-of-nobody: not installed" in line for line in lines)


@in_sandbox
@pytest.mark.parametrize(
    ("dockerfile", "problem"),
    [
        ("FROM x\nRUN echo why && exit 4", "Dockerfile line 2: RUN echo why && exit 4: ended with exit code 4"),
        ("FROM x\nCOPY nothing /x", 'Dockerfile line 2: COPY nothing /x: "/nothing": not found'),
        ("FROM x\nCOPY train /usr/bin/", "train is not executable: run `chmod \\+x train`"),
        ("RUN x", "Dockerfile line 1: FROM must be the first instruction"),
        ("FROM x\nBUY y", "Dockerfile line 2: "),
        ("FROM $NOTHING", "the name of the base image is empty"),
        ("FROM x\nCOPY train Dockerfile /opt", "with more than one source, the destination must end with '/'"),
    ],
)
def test_a_build_that_fails_names_the_line(workshop: Workshop, dockerfile: str, problem: str) -> None:
    with pytest.raises(ContainerError, match=problem):
        workshop.build(dockerfile, train="no program")
    assert list((workshop.site.workdir / "images").iterdir()) == []


def test_a_context_without_a_dockerfile_is_refused(workshop: Workshop) -> None:
    with pytest.raises(ContainerError, match=r"there is no Dockerfile in .*: it must be at the top level"):
        workshop.runtime.build(workshop.context, print)


def test_an_image_is_built_once(workshop: Workshop) -> None:
    first = workshop.build("FROM x\nENV A=1\n")
    before = len(workshop.lines)
    assert workshop.build("FROM x\nENV A=1\n") == first
    assert len(workshop.lines) == before
    assert workshop.build("FROM x\nENV A=1\n", "B=2") != first


@in_sandbox
def test_a_virtual_environment_of_the_image_is_kept_for_the_next_build(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(workshop.folder / "cache"))
    dockerfile = (
        "FROM python:3.12 AS packages\nCOPY mine-1-py3-none-any.whl /src/\nWORKDIR /src\n"
        "RUN python -m venv /opt/packages && /opt/packages/bin/pip install ./mine-1-py3-none-any.whl\n"
        "FROM python:3.12\nCOPY --from=packages /opt/packages /opt/packages\nENV PATH=/opt/packages/bin:$PATH\n"
    )
    with zipfile.ZipFile(workshop.context / "mine-1-py3-none-any.whl", "w") as wheel:
        wheel.writestr("mine.py", "ANSWER = 42\n")
        wheel.writestr("mine-1.dist-info/METADATA", "Metadata-Version: 2.1\nName: mine\nVersion: 1\n")
        wheel.writestr("mine-1.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr("mine-1.dist-info/RECORD", "")
    image = workshop.build(dockerfile)
    script = "import mine; print(mine.ANSWER)"
    for python in ("python", "/usr/local/bin/python3", "/opt/packages/bin/python"):
        code, lines = workshop.run(image, "-c", script, program=python)
        assert (code, lines) == (0, ["42"]), python
    workshop.lines.clear()
    workshop.build(dockerfile, "ANOTHER=image")
    kept = "/opt/packages/bin/pip install ./mine-1-py3-none-any.whl: kept from an earlier build"
    assert f"Dockerfile line 4: {kept}" in workshop.lines


@in_sandbox
def test_what_a_program_installs_is_not_in_the_environment_that_other_images_share(workshop: Workshop) -> None:
    image = workshop.build("FROM x\n")
    script = 'test ! -e "$VIRTUAL_ENV/new" && touch "$VIRTUAL_ENV/new" && echo "$VIRTUAL_ENV"'
    for _ in range(2):
        code, lines = workshop.run(image, "-c", script, program="/bin/sh")
        assert (code, lines) == (0, [image.config.packages])
    assert not Path(image.config.packages, "new").exists()


def test_without_namespaces_programs_find_their_files(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mlops_constructs.local_aws.containers.host.sandbox_problem", lambda: "not permitted")
    monkeypatch.setattr("mlops_constructs.local_aws.containers.host.find_proot", lambda: None)
    workshop.runtime = ContainerHost(workshop.site, docker=False).runtime
    image = workshop.build(
        "FROM x\nWORKDIR /opt/program\nCOPY train code.py ./\nENV PATH=/opt/program:$PATH\nRUN rm -rf /\n",
        train="#!/bin/sh\nprintenv SAGEMAKER_BASE_DIR; cat code.py\n",
        **{"code.py": "code"},
    )
    base = workshop.folder / "ml"
    base.mkdir()
    lines: list[str] = []
    assert workshop.runtime.train(image, base, {}, lines.append).finish() == 0
    assert lines == [str(base), "code"]
    assert "Dockerfile line 5: rm -rf /: not executed, because this machine has no namespaces" in workshop.lines
    assert Path(os.sep).exists()


@pytest.mark.skipif(find_proot() is None, reason="proot is not installed")
def test_with_proot_programs_have_the_paths_of_their_image(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mlops_constructs.local_aws.containers.host.sandbox_problem", lambda: "not permitted")
    host = ContainerHost(workshop.site, docker=False)
    assert "have their own /opt/ml by proot, but no port 8080 (no namespaces: not permitted)" in host.choice
    workshop.runtime = host.runtime
    image = workshop.build(
        "FROM x\nWORKDIR /opt/program\nCOPY data.txt ./\nCOPY tool /usr/local/bin/train\nCOPY data.txt /opt/ml/code/\n",
        tool="#!/bin/sh\npwd; cat data.txt /opt/ml/code/data.txt; getent hosts algo-1\n"
        "echo done > /opt/ml/model/x; rm data.txt\n",
        **{"data.txt": "data\n"},
    )
    base = workshop.folder / "ml"
    (base / "model").mkdir(parents=True)
    for _ in range(2):
        lines: list[str] = []
        assert workshop.runtime.train(image, base, {}, lines.append).finish() == 0, lines
        assert [line.split()[0] for line in lines] == ["/opt/program", "data", "data", "127.0.0.1"]
    assert (base / "model" / "x").read_text() == "done\n"
    assert not Path("/opt/program").exists()
