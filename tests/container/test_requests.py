"""What a running server answers, good requests and bad."""

from __future__ import annotations

import gzip
import json
import socket
from typing import TYPE_CHECKING

import pytest
from patience import PATIENCE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Reply, Server, StartServer, Trained

SETOSA = "5.1,3.5,1.4,0.2"
VIRGINICA = "6.7,3.0,5.2,2.3"
MEGABYTES = 1024 * 1024


def test_ping_is_an_empty_200(server: Server) -> None:
    reply = server.request("GET", "/ping")
    assert (reply.status, reply.body) == (200, "")


def test_held_out_flowers_are_recognised(server: Server, trained: Trained) -> None:
    labels, records = zip(*(line.split(",", 1) for line in trained.validation), strict=True)
    answers = server.invoke("\n".join(records)).body.splitlines()
    right = sum(answer == label for answer, label in zip(answers, labels, strict=True))
    assert right / len(labels) == pytest.approx(trained.outcome.metrics["validation:accuracy"], abs=1e-5)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (f"{SETOSA}\n{VIRGINICA}", "text/csv"),
        (f"{SETOSA}\r\n\r\n{VIRGINICA}\r\n", "text/csv; charset=utf-8"),
        (f"\ufeff{SETOSA}\n{VIRGINICA}\n".encode(), "Text/CSV"),
        ('"5.1","3.5","1.4","0.2"\n' + VIRGINICA, "text/csv"),
        (f"[[{SETOSA}],[{VIRGINICA}]]", "application/json"),
        (f'{{"instances": [[{SETOSA}], [{VIRGINICA}]]}}', "application/json; charset=utf-8"),
    ],
    ids=["csv", "crlf and blank line", "byte order mark", "quoted", "bare list", "instances"],
)
def test_every_form_of_two_records_gets_two_answers(server: Server, body: str | bytes, content_type: str) -> None:
    reply = server.invoke(body, content_type, accept="text/csv")
    assert (reply.status, reply.body) == (200, "setosa\nvirginica\n")


def test_one_json_list_is_one_record(server: Server) -> None:
    assert json.loads(server.invoke(f"[{SETOSA}]", "application/json").body) == {"predictions": ["setosa"]}


@pytest.mark.parametrize(
    ("accept", "answered"),
    [
        (None, "text/csv"),
        ("*/*", "text/csv"),
        ("application/json", "application/json"),
        ("application/json; q=0.3, text/csv; q=0.9", "text/csv"),
        ("text/csv;q=0.1, */*", "application/json"),
        ("image/png, application/*", "application/json"),
    ],
)
def test_accept_header_chooses_the_answer(server: Server, accept: str | None, answered: str) -> None:
    assert server.invoke(SETOSA, accept=accept).headers["content-type"] == answered


def test_accept_anything_is_answered_in_the_type_of_the_request(server: Server) -> None:
    reply = server.invoke(f"[{SETOSA}]", "application/json", accept="*/*")
    assert reply.headers["content-type"] == "application/json"


def test_csv_and_json_say_the_same(server: Server) -> None:
    reply = server.invoke(f"{SETOSA}\n{VIRGINICA}", accept="application/json")
    assert json.loads(reply.body) == {"predictions": ["setosa", "virginica"]}


@pytest.mark.parametrize(
    ("body", "content_type", "reason"),
    [
        ("", "text/csv", "the body is empty"),
        ("\r\n \n", "text/csv", "the body is empty"),
        (b"5.1,\xff", "text/csv", "the body is not UTF-8 text (byte 4)"),
        ("5.1,3.5,1.4", "text/csv", "each record needs 4 values, got 3"),
        (f"{SETOSA}\n1,2,3", "text/csv", "record 2 has 3 values, but record 1 has 4"),
        (f"{SETOSA}\n1,x,3,4", "text/csv", "record 2, column 2: 'x' is not a finite number"),
        ("1,,3,4", "text/csv", "record 1, column 2: the value is missing"),
        (f"{SETOSA}\n1,nan,3,4", "text/csv", "record 2, column 2: nan is not a finite number"),
        ("1,2,3,1e39", "text/csv", "a value is too large for the model (beyond 32-bit floating point)"),
        ("{", "application/json", "the body is not JSON: "),
        ("[" * 100_000, "application/json", "the JSON is nested too deeply"),
        ("[]", "application/json", "there are no records"),
        ('{"instances": 3}', "application/json", "the records must be a JSON list"),
        ('{"rows": []}', "application/json", 'a JSON object must have the member "instances"'),
        ("[[1,2,3,NaN]]", "application/json", "the body is not JSON: NaN is not a number"),
        ("[[1,2,3,true]]", "application/json", "record 1, column 4: 'true' is not a number"),
        ("[[1,2,3,4],5]", "application/json", "record 2 is not a list of numbers"),
        (f"[[1,2,3,{'9' * 400}]]", "application/json", "record 1, column 4: the number is too large"),
    ],
)
def test_42_bad_records_get_400_and_the_reason(
    server: Server, body: str | bytes, content_type: str, reason: str
) -> None:
    reply = server.invoke(body, content_type)
    assert reply.status == 400
    assert reply.headers["content-type"] == "application/json"
    assert reply.error.startswith(reason)


@pytest.mark.parametrize("content_type", [None, "", "text/html", "application/octet-stream"])
def test_41_unreadable_content_type_gets_415(server: Server, content_type: str | None) -> None:
    reply = server.invoke(SETOSA, content_type)
    assert reply.status == 415
    assert reply.error.endswith(
        "send one of text/csv, application/json, application/jsonlines, application/x-npy, application/x-parquet"
    )


@pytest.mark.parametrize("accept", ["image/png", "text/csv;q=0", "text/html;q=1, application/json;q=0"])
def test_41_unanswerable_accept_gets_406(server: Server, accept: str) -> None:
    reply = server.invoke(SETOSA, accept=accept)
    assert reply.status == 406
    assert reply.error.endswith("accept one of text/csv, application/json, application/jsonlines, application/x-npy")


def test_client_that_sends_far_too_much_still_reads_the_413(server: Server) -> None:
    assert server.invoke(b"1" * (20 * MEGABYTES)).status == 413


def test_42_body_over_the_limit_gets_413(server: Server) -> None:
    reply = server.invoke(b"1" * (6 * MEGABYTES + 1))
    assert (reply.status, reply.error) == (413, "the body is larger than 6291456 bytes")


def test_chunked_body_over_the_limit_gets_413(server: Server) -> None:
    chunks = (b"1" * MEGABYTES for _ in range(7))
    assert server.request("POST", "/invocations", chunks, {"Content-Type": "text/csv"}).status == 413  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def impatient(edited_container: Callable[[str], Path]) -> Path:
    """The container, waiting one second only for a body."""
    container = edited_container("")
    refusals = container / "sagemaker_contract" / "serving" / "refusals.py"
    refusals.write_text(refusals.read_text().replace("_BODY_SECONDS = 60", "_BODY_SECONDS = 1"))
    return container


@pytest.mark.parametrize("sent", [b"", b"5.1,"])
def test_body_that_does_not_come_gets_408(
    start_server: StartServer, trained: Trained, impatient: Path, sent: bytes
) -> None:
    server = start_server(trained.job.base, impatient).wait_until_ready()
    head = b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Type: text/csv\r\nContent-Length: 15\r\n\r\n"
    with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE_SECONDS) as client:
        client.sendall(head + sent)
        answer = client.recv(4096)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"connection: close" in answer
    assert server.invoke(SETOSA).body == "setosa\n"
    assert 'serve_requests_total{status="408"} 1' in server.request("GET", "/metrics").body


def test_body_that_comes_in_pieces_is_answered(server: Server) -> None:
    pieces = (piece.encode() for piece in ("5.1,", "3.5,1.", "4,0.2"))
    assert server.request("POST", "/invocations", pieces, {"Content-Type": "text/csv"}).body == "setosa\n"  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (SETOSA.encode(), "text/csv"),
        (f"{SETOSA}\n".encode() * 50_000, "text/csv"),
        (f"[{SETOSA}]".encode(), "application/json"),
    ],
    ids=["CSV", "large CSV", "JSON"],
)
def test_gzip_body_is_read(server: Server, body: bytes, content_type: str) -> None:
    reply = invoke_encoded(server, gzip.compress(body), "gzip", content_type)
    assert reply.status == 200
    assert reply.body == server.invoke(body, content_type).body


@pytest.mark.parametrize(
    ("body", "encoding", "status", "reason"),
    [
        (SETOSA.encode(), "gzip", 400, "the body is not gzip: "),
        (gzip.compress(SETOSA.encode())[:-4], "gzip", 400, "the body is not gzip: "),
        (SETOSA.encode(), "br", 415, "cannot read Content-Encoding br; send gzip, or none"),
        (
            gzip.compress(bytes(50 * MEGABYTES)),
            "GZIP",
            413,
            "the body is larger than 6291456 bytes after decompression",
        ),
    ],
    ids=["not compressed", "truncated", "another encoding", "bomb"],
)
def test_encoded_body_that_cannot_be_read_is_refused(
    server: Server, body: bytes, encoding: str, status: int, reason: str
) -> None:
    reply = invoke_encoded(server, body, encoding, "text/csv")
    assert reply.status == status
    assert reply.error.startswith(reason)


def test_body_may_say_that_it_is_not_encoded(server: Server) -> None:
    assert invoke_encoded(server, SETOSA.encode(), "identity", "text/csv").body == "setosa\n"


def invoke_encoded(server: Server, body: bytes, encoding: str, content_type: str) -> Reply:
    return server.request("POST", "/invocations", body, {"Content-Type": content_type, "Content-Encoding": encoding})


def test_42_hundred_thousand_records_are_answered(server: Server) -> None:
    reply = server.invoke(f"{SETOSA}\n" * 100_000)
    assert (reply.status, reply.body) == (200, "setosa\n" * 100_000)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("POST", "/ping", 405), ("GET", "/invocations", 405), ("GET", "/", 404), ("POST", "/models", 404)],
)
def test_other_paths_and_methods_are_refused(server: Server, method: str, path: str, status: int) -> None:
    assert server.request(method, path).status == status


def test_refused_method_names_the_allowed_one(server: Server) -> None:
    assert server.request("GET", "/invocations").headers["allow"] == "POST"


def test_settings_change_limit_and_default_answer(start_server: StartServer, trained: Trained) -> None:
    server = start_server(
        trained.job.base,
        SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT="application/json",
        SAGEMAKER_MAX_PAYLOAD_IN_MB="1",
    )
    server.wait_for_ping(200)
    assert server.invoke(SETOSA).headers["content-type"] == "application/json"
    assert server.invoke(b"1" * (MEGABYTES + 1)).status == 413
