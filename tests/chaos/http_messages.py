"""HTTP/1.1 as far as a proxy needs it: one whole message at a time, kept as it came."""

import asyncio
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Message:
    """A request or an answer: its first line, its headers by small letters, its body, and all of it as received."""

    first_line: str
    headers: dict[str, str]
    body: bytes
    raw: bytes

    @property
    def method(self) -> str:
        return self.first_line.split(" ", 1)[0]

    @property
    def status(self) -> int:
        return int(self.first_line.split(" ", 2)[1])

    @property
    def is_last(self) -> bool:
        """Whether the connection ends after this message."""
        return self.headers.get("connection", "").lower() == "close"


async def read_request(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Message | None:
    """Read the next request; None where the client has gone. Who asks before sending a body is told to go on."""
    head = await _read_head(reader)
    if head is None:
        return None
    first_line, headers = _parse(head)
    if headers.pop("expect", ""):
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        head = b"\r\n".join(line for line in head.split(b"\r\n") if not line.lower().startswith(b"expect:"))
    body, raw = await _read_body(reader, headers)
    return Message(first_line, headers, body, head + raw)


async def read_answer(reader: asyncio.StreamReader, method: str) -> Message | None:
    """Read the answer to a request of this method; None where the server closed instead."""
    head = await _read_head(reader)
    if head is None:
        return None
    first_line, headers = _parse(head)
    status = first_line.split(" ", 2)[1]
    if status.startswith("1"):
        return await read_answer(reader, method)
    if method == "HEAD" or status in ("204", "304"):
        return Message(first_line, headers, b"", head)
    if not {"content-length", "transfer-encoding"} & set(headers):
        body = raw = await reader.read()
        headers["connection"] = "close"
    else:
        body, raw = await _read_body(reader, headers)
    return Message(first_line, headers, body, head + raw)


async def _read_head(reader: asyncio.StreamReader) -> bytes | None:
    try:
        return await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None


def _parse(head: bytes) -> tuple[str, dict[str, str]]:
    first_line, *lines = head.decode("latin-1").rstrip().split("\r\n")
    pairs = (line.split(":", 1) for line in lines if ":" in line)
    return first_line, {name.strip().lower(): value.strip() for name, value in pairs}


async def _read_body(reader: asyncio.StreamReader, headers: dict[str, Any]) -> tuple[bytes, bytes]:
    """Return the body, and the same as it stood on the line."""
    if "chunked" in headers.get("transfer-encoding", "").lower():
        return await _read_chunks(reader)
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return body, body


async def _read_chunks(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    body, raw = b"", b""
    while True:
        line = await reader.readuntil(b"\r\n")
        size = int(line.split(b";")[0], 16)
        if size == 0:
            break
        chunk = await reader.readexactly(size + 2)
        body, raw = body + chunk[:-2], raw + line + chunk
    raw += line
    # Trailers, which nobody here sends, end with an empty line as the body itself does.
    while (line := await reader.readuntil(b"\r\n")) != b"\r\n":
        raw += line
    return body, raw + line


def answer(status: int, body: str, request_id: str) -> Message:
    """Return an answer of our own, as AWS would write it."""
    content = body.encode()
    first_line = f"HTTP/1.1 {status} {'OK' if status == 200 else 'Error'}"
    head = f"{first_line}\r\nContent-Type: text/xml\r\nContent-Length: {len(content)}\r\n"
    raw = f"{head}x-amzn-RequestId: {request_id}\r\n\r\n".encode() + content
    return Message(first_line, {}, content, raw)
