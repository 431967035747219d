"""The reader gives what BuildKit's own parser gives, which the package `dockerfile` contains.

That is BuildKit 0.12's. What later versions read otherwise is left out here and stands in `test_dockerfile.py`:
text after a JSON form, white space after `<<`, `${name%pattern}` before a heredoc, the directive `check`, and the
escape character in flags.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from mlops_constructs.local_aws.containers.dockerfile import (
    DockerfileError,
    Instruction,
    env_pairs,
    parse_dockerfile,
    split_words,
)

oracle = pytest.importorskip("dockerfile", reason="the package has wheels for Linux on x86_64 only")

# Each with the escape character that then holds.
HEADS = [
    ("", "\\"),
    ("\ufeff", "\\"),
    ("# comment\n\n", "\\"),
    ("# escape=`\n", "`"),
    ("#ESCAPE = `\n# syntax=docker/dockerfile:1\n# comment\n", "`"),
    ("\ufeff  # syntax=a\r\n# escape=\\\r\n", "\\"),
    ("# comment\n# escape=`\n", "\\"),
    ("\n# escape=`\n", "\\"),
    ("# other=a\n# escape=`\n", "\\"),
]
BROKEN_HEADS = [("# escape=`\n# escape=`\n", "`"), ("# escape=a\n", "\\")]
MARKS = ["a", "b.c", "é", "x=", "=", "$x", "${x}", "$", "{", "}", "'", '"', "\\", "`", ",", ":", "[", "-", "--a", "&&"]
PARTS = st.sampled_from(
    [*MARKS, "${x:-a b}", "'a b'", '"a  b"', "\\ ", "\\'", "\u2003", "\x85", "\x1c", " ", "  ", "\t"]
)
GAPS = st.sampled_from([" ", " ", " ", "  ", "\t", " \t"])
STRINGS = st.lists(st.text("a \"\\'é$<[,\u2028\x7f😀", max_size=4), max_size=3)
BODIES = st.lists(st.sampled_from(["a", "\ta", "EOF ", "  EOF", "RUN b", "# c", "", "\t", "d \\", "$x"]), max_size=4)
# The names of heredocs whose lines lose their leading tabs.
AFTER_DASH = ("TABS", "T")
FLAGS = {
    "RUN": ["--mount=type=cache,target=/a", "--mount=type=bind", "--network=none", '--mount="a  b"'],
    "COPY": ["--from=a", "--link", "--chown='a b'", "--exclude=c", "--exclude=d"],
    "ADD": ["--chmod=755", "--link=true"],
    "HEALTHCHECK": ["--interval=5s", "--retries=2"],
}
JSON_FORM = ("RUN", "CMD", "ENTRYPOINT", "SHELL", "COPY", "ADD", "VOLUME")
TEXTS = ("RUN", "CMD", "ENTRYPOINT", "WORKDIR", "USER", "STOPSIGNAL", "MAINTAINER", "EXPOSE", "VOLUME", "ARG")


@st.composite
def texts(draw: st.DrawFn) -> str:
    """Text that is not blank, of parts that mean something somewhere."""
    return "a" + "".join(draw(st.lists(PARTS, max_size=6)))


@st.composite
def json_forms(draw: st.DrawFn, keyword: str) -> str:
    words = ["a", "/b c"] + (draw(STRINGS) if keyword != "VOLUME" else [])
    array = ", ".join('"' + re.sub(r'(["\\])', r"\\\1", word) + '"' for word in words)
    forms = [f"[{array}]", f"[ {array} ]", f"[{array}, 1]", f"[{array}, [], {{}}]"]
    not_json = [f"[{array}", f"[{array},", f"[ 'a', {array}"]
    return draw(st.sampled_from(forms if keyword == "SHELL" else forms + not_json))


@st.composite
def heredocs(draw: st.DrawFn) -> tuple[str, str]:
    """The word that announces a heredoc, and the lines that follow."""
    name = draw(st.sampled_from(["EOF", "E", "$x", *AFTER_DASH]))
    quoted = draw(st.sampled_from([name, f"'{name}'", f'"{name}"']))
    end = draw(st.sampled_from([name] * 5 + [f"\t{name}"]))
    number = draw(st.sampled_from(["", "", "3"]))
    return f"{number}<<{'-' * (name in AFTER_DASH)}{quoted}", "".join(f"{line}\n" for line in [*draw(BODIES), end])


@st.composite
def arguments(draw: st.DrawFn, keyword: str) -> tuple[list[str], str]:
    """The words of an instruction, and the lines of its heredocs."""
    flags = draw(st.lists(st.sampled_from(FLAGS[keyword]), unique=True, max_size=2)) if keyword in FLAGS else []
    if keyword == "SHELL" or (keyword in JSON_FORM and draw(st.booleans())):
        return [*flags, draw(json_forms(keyword))], ""
    if keyword in TEXTS:
        words, body = [draw(texts())], ""
        if keyword == "RUN" and draw(st.booleans()):
            word, body = draw(heredocs())
            words.insert(draw(st.sampled_from([0, 1])), word)
        return [*flags, *words], body
    if keyword in ("COPY", "ADD"):
        sources = draw(st.lists(heredocs(), max_size=2))
        return [*flags, *(word for word, _ in sources), draw(texts()), "/d"], "".join(body for _, body in sources)
    if keyword in ("ENV", "LABEL"):
        pairs = [f"{draw(st.sampled_from(['a', 'b.c']))}={draw(st.just('') | texts())}" for _ in range(2)]
        return draw(st.sampled_from([pairs, ["a", draw(texts())], [draw(texts())]])), ""
    if keyword == "HEALTHCHECK":
        commands = [[*flags, "CMD", draw(texts())], [*flags, "cmd", draw(json_forms(keyword))]]
        return draw(st.sampled_from([["NONE"], *commands])), ""
    return draw(st.sampled_from([["base"], ["base:1", "AS", "a"], ["--platform=b", "base", "as", "C.d"]])), ""


KEYWORDS = [*TEXTS, "COPY", "ADD", "SHELL", "ENV", "LABEL", "HEALTHCHECK", "FROM"]


@st.composite
def instructions(draw: st.DrawFn, escape: str) -> str:
    keyword = draw(st.sampled_from(KEYWORDS))
    words, body = draw(arguments(keyword))
    if keyword not in ("FROM", "MAINTAINER") and draw(st.integers(0, 9)) == 0:
        words = [keyword, *words]
        keyword = "ONBUILD"
    line = draw(st.sampled_from(["", "", "  ", "\t"])) + draw(st.sampled_from([keyword, keyword.lower()]))
    for word in words:
        line += draw(GAPS)
        if draw(st.integers(0, 4)) == 0:
            line += escape + draw(st.sampled_from(["", " ", "\t "])) + "\n"
            line += draw(st.sampled_from(["", "# comment\n", "  # c \\\n", "\n", " \t\n\n"])) + draw(st.just("") | GAPS)
        line += word
    return f"{line}{draw(st.sampled_from(['', ' ']))}\n{body}"


@st.composite
def dockerfiles(draw: st.DrawFn) -> str:
    head, escape = draw(st.sampled_from(HEADS * 3 + BROKEN_HEADS))
    between = st.sampled_from(["", "", "\n", "# comment\n", "  # escape=`\n"])
    body = [part for _ in range(draw(st.integers(0, 3))) for part in (draw(between), draw(instructions(escape)))]
    text = f"{head}FROM base\n{''.join(body)}"
    text = text.replace("\n", "\r\n") if draw(st.integers(0, 4)) == 0 else text
    return text.rstrip("\r\n") if draw(st.integers(0, 4)) == 0 else text


def ours(text: str) -> list[dict[str, Any]] | None:
    try:
        return [_ours(instruction) for instruction in parse_dockerfile(text)]
    except DockerfileError as error:
        # BuildKit refuses these after its parser.
        assume(not error.reason.endswith(("names that are not blank", "does not allow an empty string")))
        return None


def _ours(instruction: Instruction) -> dict[str, Any]:
    command = instruction.trigger or instruction
    return {
        "line": instruction.line,
        "keyword": instruction.keyword,
        "trigger": instruction.trigger and command.keyword,
        "json": command.words is not None,
        "value": words_of(command),
        "flags": {name: values.split("\n") for name, values in instruction.flags.items()},
        "heredocs": [] if instruction.trigger else [(each.name, each.content) for each in instruction.heredocs],
        "original": instruction.original,
    }


def words_of(instruction: Instruction) -> list[str]:
    """An instruction's value, split as BuildKit's parser splits it."""
    value, escape = instruction.value, instruction.escape
    match instruction.keyword:
        case "HEALTHCHECK":
            kind, *command = re.split(r"\s+", value, maxsplit=1, flags=re.ASCII)
            return [kind, *(command if instruction.words is None else instruction.words)]
        case "FROM" | "COPY" | "ADD" | "VOLUME" | "EXPOSE":
            return list(instruction.arguments)
        case "ENV" | "LABEL":
            return [part for pair in env_pairs(value, escape) for part in pair]
        case "ARG":
            return split_words(value, escape)
    return [value] if instruction.words is None else list(instruction.words)


def theirs(text: str) -> list[dict[str, Any]] | None:
    try:
        commands = oracle.parse_string(text)
    except oracle.GoParseError:
        return None
    # This, too, is refused after the parser.
    known = all(command.cmd.lower() in oracle.all_cmds() for command in commands)
    return [_theirs(command) for command in commands] if known else None


def _theirs(command: Any) -> dict[str, Any]:
    flags: dict[str, list[str]] = {}
    for flag in command.flags:
        name, _, value = flag.removeprefix("--").partition("=")
        flags.setdefault(name, []).append(value)
    original, *_ = command.original.split("\n")
    return {
        "line": command.start_line,
        "keyword": command.cmd.upper(),
        "trigger": command.sub_cmd and command.sub_cmd.upper(),
        "json": command.json,
        "value": list(command.value),
        "flags": flags,
        "heredocs": [(each.name, content_of(each)) for each in command.heredocs],
        "original": original,
    }


def content_of(heredoc: Any) -> str:
    """A heredoc's content; BuildKit removes the tabs after its parser."""
    content: str = heredoc.content
    return re.sub(r"^\t+", "", content, flags=re.MULTILINE) if heredoc.name in AFTER_DASH else content


@given(dockerfiles())
@settings(max_examples=300)
def test_instructions_and_refusals_are_buildkits(text: str) -> None:
    assert ours(text) == theirs(text)
