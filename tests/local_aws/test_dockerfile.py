"""A Dockerfile's instructions, and what BuildKit refuses. `test_dockerfile_oracle.py` compares with BuildKit itself."""

from __future__ import annotations

import pytest

from mlops_constructs.local_aws.containers.dockerfile import DockerfileError, Instruction, expand, parse_dockerfile


def only(text: str) -> Instruction:
    """The one instruction after FROM."""
    _, instruction = parse_dockerfile(f"FROM base\n{text}")
    return instruction


def shape(text: str) -> list[tuple[str, object]]:
    """Each keyword, with the JSON form or the text."""
    return [(each.keyword, each.value if each.words is None else each.words) for each in parse_dockerfile(text)]


def refusal(text: str) -> str:
    with pytest.raises(DockerfileError) as raised:
        parse_dockerfile(text)
    assert str(raised.value) == f"Dockerfile line {raised.value.line}: {raised.value.reason}"
    return f"{raised.value.line}: {raised.value.reason}"


# In the manner of the containers in SageMaker's examples: scikit_bring_your_own, multi_model_bring_your_own.
SCIKIT = """\
# Trains and serves with nginx, gunicorn and flask.
FROM ubuntu:16.04

MAINTAINER A team <team@example.com>

RUN apt-get update && apt-get install -y --no-install-recommends \\
        nginx \\
# the certificates are for pip
        ca-certificates \\

    && rm -rf /var/lib/apt/lists/*
ENV PATH="/opt/program:${PATH}"
COPY decision_trees /opt/program
WORKDIR /opt/program
"""
MULTI_MODEL = """\
FROM ubuntu:22.04
LABEL com.amazonaws.sagemaker.capabilities.multi-models=true
COPY entrypoint.py /usr/local/bin/entrypoint.py
ENTRYPOINT ["python", "/usr/local/bin/entrypoint.py"]
CMD ["serve"]"""
STAGES = """\
# syntax=docker/dockerfile:1
ARG VERSION=3.12
FROM python:${VERSION}-slim AS build
RUN --mount=type=cache,target=/home/.cache --mount=type=bind,source=.,target=/src pip install /src

FROM python:${VERSION}-slim
COPY --from=build --chown=1000:1000 /usr/local/lib /usr/local/lib
ONBUILD COPY . /opt/ml/code
"""


def test_instructions_of_a_container_that_installs_with_apt() -> None:
    packages = "apt-get update && apt-get install -y --no-install-recommends         nginx         ca-certificates "
    assert shape(SCIKIT) == [
        ("FROM", "ubuntu:16.04"),
        ("MAINTAINER", "A team <team@example.com>"),
        ("RUN", f"{packages}    && rm -rf /var/lib/apt/lists/*"),
        ("ENV", 'PATH="/opt/program:${PATH}"'),
        ("COPY", "decision_trees /opt/program"),
        ("WORKDIR", "/opt/program"),
    ]
    assert [each.line for each in parse_dockerfile(SCIKIT)] == [2, 4, 6, 12, 13, 14]


def test_instructions_of_a_container_with_an_entry_point() -> None:
    assert shape(MULTI_MODEL)[3:] == [
        ("ENTRYPOINT", ("python", "/usr/local/bin/entrypoint.py")),
        ("CMD", ("serve",)),
    ]


def test_stages_and_their_flags() -> None:
    version, build, run, final, copy, later = parse_dockerfile(STAGES)
    assert (version.keyword, version.value) == ("ARG", "VERSION=3.12")
    assert build.arguments == ("python:${VERSION}-slim", "AS", "build")
    assert run.flags == {"mount": "type=cache,target=/home/.cache\ntype=bind,source=.,target=/src"}
    assert run.value == "pip install /src"
    assert final.arguments == ("python:${VERSION}-slim",)
    assert copy.flags == {"from": "build", "chown": "1000:1000"}
    assert copy.arguments == ("/usr/local/lib", "/usr/local/lib")
    assert later.trigger is not None
    assert (later.trigger.keyword, later.trigger.arguments) == ("COPY", (".", "/opt/ml/code"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('CMD ["a", "b c"]', ("a", "b c")),
        ('CMD [ "\\u00e9" , "\\"" ]  ', ("é", '"')),
        ("CMD []", ()),
        ('CMD ["\\ud800"]', ("\ufffd",)),
        ('COPY ["a b", "/c/"]', ("a b", "/c/")),
        ('VOLUME ["/a"]', ("/a",)),
        ('HEALTHCHECK --interval=5s CMD ["curl", "localhost"]', ("curl", "localhost")),
        # Not JSON, hence a command for the shell.
        ("CMD ['a', 'b']", None),
        ('CMD ["a", "b"', None),
        ('CMD ["a",]', None),
        ('CMD ["a"] b', None),
        ("CMD [NaN]", None),
        ("CMD " + "[" * 5000, None),
        ("CMD python train.py", None),
        ('LABEL ["a"]=b', None),
    ],
)
def test_the_json_form_is_an_array_of_strings_and_nothing_else(text: str, words: tuple[str, ...] | None) -> None:
    assert only(text).words == words


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("RUN a \\\n  b", "a   b"),
        ("RUN a\\\nb", "ab"),
        ("RUN a \\ \t\nb", "a b"),
        ("RUN a \\\r\nb\r\n", "a b"),
        ("RUN a \\\n# comment\n   # comment \\\n\n  \nb", "a b"),
        ("RUN a \\\\", "a \\\\"),
        ("RUN a \\", "a"),
        ("RUN \\\n a", "a"),
        ("RUN a # b", "a # b"),
        ("  run\ta  ", "a"),
        ("RUN", ""),
    ],
)
def test_an_instruction_goes_on_after_a_continuation(text: str, value: str) -> None:
    assert (only(text).keyword, only(text).value) == ("RUN", value)


@pytest.mark.parametrize(
    ("head", "escape"),
    [
        ("# escape=`\n", "`"),
        ("#Escape = `  \n", "`"),
        ("\ufeff# escape=`\r\n", "`"),
        ("# syntax=docker/dockerfile:1\n# check=skip=all\n# escape=`\n", "`"),
        ("# a comment\n# escape=`\n", "\\"),
        ("\n# escape=`\n", "\\"),
        ("# other=1\n# escape=`\n", "\\"),
        ("# escape=\\\n", "\\"),
        ("", "\\"),
    ],
)
def test_the_escape_directive_counts_only_before_everything_else(head: str, escape: str) -> None:
    instructions = parse_dockerfile(f"{head}FROM base\nRUN a {escape}\nb")
    assert [each.value for each in instructions] == ["base", "a b"]
    assert {each.escape for each in instructions} == {escape}


@pytest.mark.parametrize(
    ("text", "flags", "value"),
    [
        ("COPY --link --from=a b c", {"link": "", "from": "a"}, "b c"),
        ('COPY --chown="a b" c d', {"chown": "a b"}, "c d"),
        ('COPY --chown=\'a\'\\ "\\"" c d', {"chown": 'a "'}, "c d"),
        ("COPY --link=false a b", {"link": "false"}, "a b"),
        ("COPY a --from=b", {}, "a --from=b"),
        ("RUN -- --mount=a", {}, "--mount=a"),
        ("RUN --mount=a", {"mount": "a"}, ""),
        ("COPY --exclude=a --exclude=b . /c", {"exclude": "a\nb"}, ". /c"),
    ],
)
def test_flags_stand_before_the_arguments(text: str, flags: dict[str, str], value: str) -> None:
    assert (only(text).flags, only(text).value) == (flags, value)


def test_a_heredoc_is_no_instructions() -> None:
    text = 'RUN <<EOF\npip install a\nFROM b\nEOF\nCOPY <<"END" <<-TABS /a/\n$x\nEND\n\ta\n\t\t b\n\tTABS\nCMD a\n'
    run, copy, command = parse_dockerfile(f"FROM base\n{text}")[1:]
    assert [(each.name, each.content, each.expand) for each in run.heredocs] == [
        ("EOF", "pip install a\nFROM b\n", True)
    ]
    assert [(each.name, each.content, each.expand) for each in copy.heredocs] == [
        ("END", "$x\n", False),
        ("TABS", "a\n b\n", True),
    ]
    assert (copy.value, copy.original) == ('<<"END" <<-TABS /a/', 'COPY <<"END" <<-TABS /a/')
    assert (command.line, command.heredocs) == (12, ())


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("RUN python3 <<EOF > a\nEOF", ["EOF"]),
        ("RUN cat << EOF\nEOF", ["EOF"]),
        ("RUN 3<<EOF\nEOF", ["EOF"]),
        ("RUN <<'a b'\na b", ["a b"]),
        ('RUN <<E"O"F\nEOF\r\n', ["EOF"]),
        ("RUN <<$x\n$x", ["$x"]),
        ("RUN a=${a:-b c} ${a%.*} <<EOF\nEOF", ["EOF"]),
        ("ONBUILD RUN <<EOF\nEOF", ["EOF"]),
        ("RUN cat<<EOF", []),
        ("RUN '<<EOF'", []),
        ("RUN cat <<<EOF", []),
        ("RUN echo ' <<EOF", []),
        ("RUN <<''", []),
        ('RUN ["<<EOF"]', []),
        ("CMD <<EOF", []),
    ],
)
def test_what_announces_a_heredoc(text: str, names: list[str]) -> None:
    assert [each.name for each in only(text).heredocs] == names


@pytest.mark.parametrize(("name", "expands"), [("E", True), ("'E'", False), ('"E"', False), ("\\E", True)])
def test_a_quoted_name_keeps_variables_in_a_heredoc(name: str, expands: bool) -> None:
    assert [each.expand for each in only(f"COPY <<{name} /a\n$x\nE").heredocs] == [expands]


def test_the_unset_path_of_an_image_is_for_the_caller_to_give() -> None:
    value = only('ENV PATH="/opt/program:${PATH}"').value
    assert expand(value, {"PATH": "/usr/bin:/bin"}) == "PATH=/opt/program:/usr/bin:/bin"
    assert expand(value, {}) == "PATH=/opt/program:"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "1: the file has no instructions"),
        ("# only\n\n# comments", "1: the file has no instructions"),
        ("RUN a\nFROM b", "1: FROM must be the first instruction; only ARG may come before it"),
        ("ARG a\nENV b=c\nFROM b", "2: FROM must be the first instruction; only ARG may come before it"),
        ("ARG a\nARG b", "2: FROM must be the first instruction; only ARG may come before it"),
        ("FROM a\nPIP install b", "2: unknown instruction: PIP"),
        ("FROM a\nRUN b\n&& c", "3: unknown instruction: &&"),
        ("FROM a\n\\", "2: unknown instruction: "),
        ("FROM a\n\nRUN <<EOF\nb\n EOF", "3: the heredoc EOF is not terminated"),
        ("FROM a\nCOPY <<A <<B /c\nA\n", "2: the heredoc B is not terminated"),
        ("# escape=x\nFROM a", "1: the escape character is \\ or `, got 'x'"),
        ("# escape=`\n# escape=`\nFROM a", "2: only one escape parser directive can be used"),
        ("FROM a\nRUN " + "b" * 65_532, "2: the line is longer than 65535 bytes"),
    ],
)
def test_a_file_that_buildkit_refuses(text: str, reason: str) -> None:
    assert refusal(text) == reason


def test_the_longest_line() -> None:
    assert len(only("RUN " + "b" * 65_531).value) == 65_531


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("FROM", "requires either one or three arguments: an image, or an image AS a name"),
        ("FROM a b", "requires either one or three arguments: an image, or an image AS a name"),
        ("FROM a b c", "requires either one or three arguments: an image, or an image AS a name"),
        ("FROM a AS 1b", "a stage's name has letters, digits, - _ and ., a letter first, got '1b'"),
        ("COPY a", "requires at least two arguments; the last is the destination"),
        ('ADD ["a"]', "requires at least two arguments; the last is the destination"),
        ("COPY a <<EOF\nEOF", "does not allow a heredoc as the destination"),
        ("COPY --link=maybe a b", "the flag --link is true or false, got 'maybe'"),
        ("COPY --from a b", "the flag --from requires a value"),
        ("COPY --from=a --from=b c d", "duplicate flag --from"),
        ("COPY --mount=a b c", "unknown flag --mount"),
        ("ENV --a b=c", "unknown flag --a"),
        ("ARG", "requires at least one argument"),
        ("ARG =a", "requires names that are not blank"),
        ("ENV", "requires at least one argument"),
        ("ENV a", "requires a name and a value"),
        ("ENV a=b c", "requires name=value, got 'c'"),
        ("LABEL =a", "requires names that are not blank"),
        ("EXPOSE", "requires at least one argument"),
        ("VOLUME []", "requires at least one argument"),
        ('VOLUME [" "]', "does not allow an empty string"),
        ("HEALTHCHECK", "requires at least one argument"),
        ("HEALTHCHECK none a", "NONE takes no arguments"),
        ("HEALTHCHECK CMD", "CMD requires a command"),
        ("HEALTHCHECK RUN a", "requires CMD or NONE, got 'RUN'"),
        ("ONBUILD", "requires at least one argument"),
        ("ONBUILD FROM a", "does not allow FROM"),
        ("ONBUILD onbuild RUN a", "does not allow ONBUILD"),
        ("SHELL /bin/sh -c", "requires the JSON form"),
        ("SHELL []", "requires at least one argument"),
        ("WORKDIR", "requires exactly one argument"),
        ("USER", "requires exactly one argument"),
        ("STOPSIGNAL", "requires exactly one argument"),
        ("MAINTAINER", "requires exactly one argument"),
        ('CMD ["a", 1]', "in the JSON form, everything in the array must be a string"),
        ('RUN [["a"]]', "in the JSON form, everything in the array must be a string"),
    ],
)
def test_an_instruction_that_buildkit_refuses(text: str, reason: str) -> None:
    assert refusal(f"FROM base\n{text}") == f"2: {text.split()[0]}: {reason}"


def test_a_trigger_is_checked_when_it_is_read() -> None:
    assert refusal("FROM a\nONBUILD COPY b") == "2: COPY: requires at least two arguments; the last is the destination"


@pytest.mark.parametrize(
    "text", ["HEALTHCHECK NONE", "USER a b", "FROM --platform=$BUILDPLATFORM b as Stage-1.x", "CMD"]
)
def test_an_instruction_that_buildkit_accepts(text: str) -> None:
    assert only(text).keyword == text.split()[0]
