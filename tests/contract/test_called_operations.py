"""What the functions and the commands call, the local AWS knows the permissions of.

A call in no table is denied to every role whose policy names resources: the rehearsal fails where AWS would not.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from functools import cache
from typing import TYPE_CHECKING

import botocore.session
import pytest
from botocore import xform_name
from synthesis import ROOT

from mlops_constructs.local_aws.iam.actions import TABLE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@cache
def operations() -> Mapping[str, list[tuple[str, str]]]:
    """By the name of its method: the operations of all services that the tables are about."""
    session, found = botocore.session.get_session(), defaultdict(list)
    for service in {service for service, _ in TABLE}:
        for name in session.get_service_model(service).operation_names:
            found[xform_name(name)].append((service, name))
    return found


def called(source: str) -> Iterator[str]:
    """Give the methods that a module calls of clients; some are named by a text."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and node.attr in operations():
            yield node.attr
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in operations():
            yield node.value


def unknown(source: str) -> set[str]:
    """Give the methods whose operation is in no table."""
    return {name for name in called(source) if not any(one in TABLE for one in operations()[name])}


@pytest.mark.parametrize("folder", ["lambdas", "mlops_constructs/deployed"])
def test_all_calls_are_in_the_tables(folder: str) -> None:
    modules = {path.relative_to(ROOT).as_posix(): path.read_text() for path in (ROOT / folder).rglob("*.py")}
    assert {path: names for path, source in modules.items() if (names := unknown(source))} == {}


@pytest.mark.parametrize("source", ["client('logs').delete_log_stream()", "getattr(logs, 'delete_log_stream')()"])
def test_a_call_that_is_in_no_table_is_found(source: str) -> None:
    assert unknown(source) == {"delete_log_stream"}


def test_the_calls_of_the_functions_are_found() -> None:
    found = {name for path in (ROOT / "lambdas").rglob("*.py") for name in called(path.read_text())}
    assert found > {"create_training_job", "stop_training_job", "delete_log_group", "put_job_success_result"}
