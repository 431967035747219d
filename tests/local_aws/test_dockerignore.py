"""Which files of a build context `.dockerignore` hides."""

from __future__ import annotations

import pytest

from mlops_constructs.local_aws.containers.dockerignore import ignored
from mlops_constructs.local_aws.containers.images import ContainerError


@pytest.mark.parametrize(
    ("patterns", "hidden", "seen"),
    [
        ("", [], ["a", ".dockerignore"]),
        ("a", ["a", "a/b", "a/b/c"], ["b/a", "ab"]),
        ("a/b", ["a/b", "a/b/c"], ["a", "a/c", "c/a/b"]),
        ("/a", ["a"], ["b/a"]),
        ("a/", ["a", "a/b"], ["ab"]),
        ("./a/../b", ["b"], ["a"]),
        ("*.py", ["a.py", ".py"], ["b/a.py", "a.pyc"]),
        ("*/*.py", ["b/a.py"], ["a.py", "b/c/a.py"]),
        ("a?", ["ab", "ab/c"], ["a", "abc", "a/"]),
        ("a[b-d]", ["ac"], ["ae", "a[b-d]"]),
        ("a[^b-d]", ["ae"], ["ac"]),
        ("a[\\]x[]", ["a]", "a["], ["a\\"]),
        ("a\\*", ["a*"], ["ab"]),
        ("\\#a", ["#a"], ["a"]),
        ("a.b+(c)", ["a.b+(c)"], ["aXb+(c)", "a.bbc"]),
        ("**", ["a", "a/b", ".dockerignore", "Dockerfile"], []),
        ("**/a", ["a", "b/a", "b/c/a/d"], ["ba", "ab"]),
        ("**/*.py", ["a.py", "b/c/a.py"], ["a.pyc"]),
        ("a/**", ["a/b", "a/b/c"], ["a", "ab"]),
        ("a/**/b", ["a/b", "a/c/b", "a/c/d/b"], ["a/bb", "b"]),
        ("**.py", ["a.py", "b/a.py"], ["a.pyc"]),
        ("**a?", ["ab", "c/ab"], ["cab"]),
        ("# a\n #b\n\n  c  \r\n", ["#b", "c"], ["a", "# a"]),
        ("\ufeffa", ["a"], []),
        (".\n/", [], ["a"]),
    ],
)
def test_what_a_pattern_hides(patterns: str, hidden: list[str], seen: list[str]) -> None:
    is_ignored = ignored(patterns)
    assert [path for path in hidden if not is_ignored(path)] == []
    assert [path for path in seen if is_ignored(path)] == []


@pytest.mark.parametrize(
    ("patterns", "hidden", "seen"),
    [
        ("*\n!a", ["b"], ["a", "a/b"]),
        ("!a\n*", ["a", "b"], []),
        ("a\n!a/b\na/b/c", ["a/d", "a/b/c"], ["a/b", "a/b/d"]),
        ("**/*.md\n!README.md", ["a.md", "b/README.md"], ["README.md"]),
        ("*\n! a/b/ ", ["a", "a/c"], ["a/b", "a/b/c"]),
        ("*\n!/a", ["b"], ["a"]),
    ],
)
def test_the_last_pattern_that_matches_decides(patterns: str, hidden: list[str], seen: list[str]) -> None:
    test_what_a_pattern_hides(patterns, hidden, seen)


def test_the_context_itself_is_never_ignored() -> None:
    assert not ignored("**\n.")(".")


@pytest.mark.parametrize("pattern", ["[", "a[]", "a[b", "a[-b]", "[z-a]", "a\\", "!", "!  "])
def test_a_pattern_that_docker_refuses(pattern: str) -> None:
    with pytest.raises(ContainerError) as raised:
        ignored(f"# comment\n{pattern}\n")
    assert str(raised.value) == f".dockerignore, line 2: {pattern.strip()!r} is not a pattern"
