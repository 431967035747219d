"""What is said when a command of Terraform fails."""

from __future__ import annotations

from mlops_constructs.rehearsal.diagnostics import failure


def test_a_command_that_was_killed_says_what_killed_it() -> None:
    assert str(failure("apply", [], -9)) == (
        "terraform apply failed:\n"
        "  SIGKILL ended it, for want of memory for example: what it was doing is not in its state"
    )


def test_one_that_gives_up_says_why() -> None:
    assert str(failure("apply", ["  no"], 1)) == "terraform apply failed:\n  no"
    assert str(failure("apply", [], 1)) == "terraform apply failed:\nit gave no reason"
