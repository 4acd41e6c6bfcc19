"""`specado preview`: a request next to its translation, and the losses."""

from __future__ import annotations

import base64
import io
import json

import pytest

from specado.cli import main

REQUEST = {
    "model": "gpt-4o",
    "messages": [{"role": "user", "content": "What is TLS?"}],
    "max_tokens": 100,
    "seed": 7,
}


@pytest.fixture
def request_file(tmp_path):
    path = tmp_path / "request.json"
    path.write_text(json.dumps(REQUEST))
    return str(path)


def test_both_bodies_and_the_losses_are_shown(request_file, capsys):
    assert main(["preview", request_file, "--to", "anthropic/claude-opus-4-5"]) == 0

    shown = capsys.readouterr().out
    assert shown.index("openai:") < shown.index("anthropic/claude-opus-4-5:")
    assert "\nanthropic_messages: POST https://api.anthropic.com/v1/messages\n" in shown
    assert '"seed": 7' in shown
    assert shown.splitlines()[-2:] == [
        "Low loss",
        "  Low  Drop  seed: there is no seed (7 -> None)",
    ]


def test_on_a_wide_terminal_the_bodies_stand_side_by_side(request_file, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "160")

    main(["preview", request_file, "--to", "anthropic/claude-opus-4-5"])

    first = capsys.readouterr().out.splitlines()[0]
    assert first.split() == ["openai:", "anthropic/claude-opus-4-5:"]


def test_json_is_the_translation_and_its_report(request_file, capsys):
    main(["preview", request_file, "--to", "anthropic/claude-opus-4-5", "--json"])

    data = json.loads(capsys.readouterr().out)
    assert data["url"] == "https://api.anthropic.com/v1/messages"
    assert data["dialect"] == "anthropic_messages"
    assert data["body"] == {
        "model": "claude-opus-4-5",
        "messages": [{"role": "user", "content": "What is TLS?"}],
        "max_tokens": 100,
    }
    assert [item["path"] for item in data["report"]["items"]] == ["seed"]


def with_image(tmp_path, size):
    data = base64.b64encode(bytes(range(256)) * (size // 256)).decode()
    url = f"data:image/png;base64,{data}"
    image = {"type": "image_url", "image_url": {"url": url}}
    request = {"model": "gpt-4o", "messages": [{"role": "user", "content": [image]}]}
    path = tmp_path / "image.json"
    path.write_text(json.dumps(request))
    return str(path), data


def test_long_base64_is_shortened_on_both_sides(tmp_path, capsys):
    path, _ = with_image(tmp_path, 768_000)

    main(["preview", path, "--to", "anthropic/claude-opus-4-5"])

    shown = capsys.readouterr().out
    start = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYX"
    assert f'"url": "data:image/png;base64,{start}…(768000 bytes)"' in shown
    assert f'"data": "{start}…(768000 bytes)"' in shown
    assert len(shown) < 1000


def test_escaped_slashes_are_base64_too(tmp_path, capsys):
    path = tmp_path / "slashes.json"
    path.write_text(json.dumps({**REQUEST, "user": "a//b" * 100}).replace("/", "\\/"))

    main(["preview", str(path), "--to", "anthropic/claude-opus-4-5"])

    assert capsys.readouterr().out.count("…(300 bytes)") == 2


def test_json_keeps_the_exact_body(tmp_path, capsys):
    path, data = with_image(tmp_path, 768_000)

    main(["preview", path, "--to", "anthropic/claude-opus-4-5", "--json"])

    body = json.loads(capsys.readouterr().out)["body"]
    assert body["messages"][0]["content"][0]["source"]["data"] == data


def test_text_is_shown_whole(tmp_path, capsys):
    path = tmp_path / "text.json"
    path.write_text(json.dumps({**REQUEST, "stop": "a word " * 100}))

    main(["preview", str(path), "--to", "anthropic/claude-opus-4-5"])

    assert capsys.readouterr().out.count("a word " * 99) == 2


def test_a_request_for_the_other_api_comes_from_stdin(monkeypatch, capsys):
    request = {
        "model": "claude-opus-4-5",
        "max_tokens": 50,
        "top_k": 3,
        "messages": [{"role": "user", "content": "Hi"}],
    }
    stdin = io.TextIOWrapper(io.BytesIO(json.dumps(request).encode()))
    monkeypatch.setattr("sys.stdin", stdin)

    assert main(["preview", "-", "--from", "anthropic", "--to", "openai/gpt-4o"]) == 0

    assert "Low  Drop  top_k" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("argv", "problem"),
    [
        (["--to", "nobody"], "specado: to: 'nobody' is not a provider"),
        (["--to", "anthropic", "--strictness", "strict"], "seed: there is no seed; strictness="),
    ],
)
def test_what_cannot_be_shown_is_one_line(request_file, capsys, argv, problem):
    assert main(["preview", request_file, *argv]) == 1

    captured = capsys.readouterr()
    assert captured.out == ""
    assert problem in captured.err
    assert captured.err.count("\n") == 1


def test_a_file_that_is_not_there_is_named(tmp_path, capsys):
    path = str(tmp_path / "absent.json")

    assert main(["preview", path, "--to", "anthropic"]) == 1

    assert capsys.readouterr().err == f"specado: {path}: No such file or directory\n"


@pytest.mark.parametrize(
    ("to", "dialect", "url"),
    [
        (
            "gemini/gemini-3.8-flash",
            "gemini",
            "https://generativelanguage.googleapis.com/v1beta/models/gemini-3.8-flash:generateContent",
        ),
        ("openai/gpt-5.5-pro", "openai_responses", "https://api.openai.com/v1/responses"),
    ],
)
def test_other_apis_have_their_address_and_body(request_file, capsys, to, dialect, url):
    main(["preview", request_file, "--to", to, "--json"])

    data = json.loads(capsys.readouterr().out)
    assert (data["dialect"], data["url"]) == (dialect, url)
    assert "What is TLS?" in json.dumps(data["body"])
    assert "messages" not in data["body"]
