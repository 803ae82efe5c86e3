"""The words of the protocol: what is one, what is none, and what can be shown."""

from __future__ import annotations

import io
from queue import SimpleQueue

import pytest

from gazeapp.engine.runners.protocol import Log, NotUnderstoodError, collect, listen, parse, shown


def test_a_message_is_read() -> None:
    message = parse(b'{"gazeapp": "progress", "request": 3, "done": 1, "total": 2, "message": "half"}')
    assert (message.kind, message.request) == ("progress", 3)
    assert (message.number("done"), message.number("total"), message.text("message")) == (1, 2, "half")


def test_counts_and_texts_that_cannot_be_shown_are_cut() -> None:
    message = parse(
        b'{"gazeapp": "progress", "request": 1, "done": -3, "total": 99999999999999, "message": "a\\nb\\u202e"}'
    )
    assert (message.number("done"), message.number("total"), message.text("message")) == (0, 2**31 - 1, "a b")
    assert message.number("message") == 0
    assert message.text("done") == ""
    assert len(shown("x" * 10_000)) == 500


@pytest.mark.parametrize(
    "line",
    [
        b'{"gazeapp"}',
        b'{"gazeapp": "answer", "request": 1',
        b'{"gazeapp": "answer", "request": "1"}',
        b'{"gazeapp": "song", "request": 1}',
        b'{"gazeapp": ["answer"], "request": 1}',
        b'{"gazeapp_other": 1}',
        b'{"gazeapp": "answer", "request": 1, "values": {"share": NaN}}',
        b'{"gazeapp": "answer", "request": 1, "values": {"half": "\\ud83d"}}',
        b'{"gazeapp": "answer", "request": 1, "values": "\xff"}',
        b'{"gazeapp": ' + b"[" * 100_000,
    ],
)
def test_what_is_no_word_of_the_protocol_is_not_understood(line: bytes) -> None:
    with pytest.raises(NotUnderstoodError):
        parse(line)


def test_output_is_sorted_into_messages_and_log() -> None:
    messages: SimpleQueue[bytes | None] = SimpleQueue()
    log = Log()
    listen(io.BytesIO(b'noise\n{"other": 1}\n\n{"gazeapp": "ready"}\n \xff\nlast'), messages, log)
    collect(io.BytesIO(b"warning\n"), log)
    assert messages.get() == b'{"gazeapp": "ready"}\n'
    assert messages.get() is None
    assert log.lines == ("noise", '{"other": 1}', " \ufffd", "last", "warning")
    assert log.count == 5


def test_only_the_last_lines_are_kept_and_all_are_counted() -> None:
    log = Log()
    collect(io.BytesIO(b"".join(b"%d\n" % i for i in range(1000))), log)
    assert log.count == 1000
    assert (log.lines[0], log.lines[-1], len(log.lines)) == ("800", "999", 200)
