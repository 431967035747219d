"""What a person reads who types ``mlops`` alone, or something wrong."""

from __future__ import annotations

import pytest

from mlops_constructs.cli.main import main


@pytest.mark.parametrize(
    ("arguments", "last", "usage"),
    [
        (["aprove"], "mlops: error: there is no command 'aprove'; did you mean approve?", "usage: mlops ["),
        (["xyzzy"], "mlops: error: there is no command 'xyzzy'", "usage: mlops ["),
        (
            ["rehearse", "--aprove"],
            "mlops rehearse: error: unrecognized arguments: --aprove; did you mean --approve?",
            "usage: mlops rehearse ",
        ),
        (["releases", "p", "more"], "mlops releases: error: unrecognized arguments: more", "usage: mlops releases "),
    ],
)
def test_a_wrong_word_gets_the_help_that_fits(
    capsys: pytest.CaptureFixture[str], arguments: list[str], last: str, usage: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    errors = capsys.readouterr().err
    assert (ended.value.code, errors.splitlines()[-1]) == (2, last)
    assert errors.startswith(usage)


def test_alone_it_lists_all_commands_in_groups(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([])
    lines = capsys.readouterr().err.splitlines()
    assert ended.value.code == 2
    assert lines.index("Develop on this machine:") < lines.index("Operate a deployed pipeline:")
    assert "  rehearse   run the whole pipeline on this machine, without an AWS account" in lines
