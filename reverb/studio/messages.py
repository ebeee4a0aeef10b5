"""Requests and answers: bodies of bounded size, facts for JSON, files to download."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from reverb.errors import ParameterError
from reverb.studio.uploads import Recording, Room

_MAX_JSON = 64_000  # bytes


class TooLargeError(Exception):
    """A request's body is too large."""


async def body_chunks(request: Request, limit: int, name: str) -> AsyncIterator[bytes]:
    """Yield a request's body in chunks.

    Raises
    ------
    TooLargeError
        If it is larger than `limit` bytes; the message calls it `name`.
    """
    declared = request.headers.get("content-length", "")
    size = int(declared) if declared.isdecimal() and len(declared) < 20 else 0
    if size <= limit:
        size = 0
        async for chunk in request.stream():
            size += len(chunk)
            if size > limit:
                break
            yield chunk
    if size > limit:
        raise TooLargeError(f"{name}: larger than {limit / 1e6:g} MB, the limit of an upload")


async def json_body(request: Request) -> dict[str, Any]:
    """Return the JSON object in a request's body."""
    body = b"".join([chunk async for chunk in body_chunks(request, _MAX_JSON, "the request")])
    try:
        asked = json.loads(body)
    except (ValueError, RecursionError):
        asked = None
    if not isinstance(asked, dict):
        raise ParameterError("the request has no JSON object")
    return asked


def recording_facts(id: str, recording: Recording) -> dict[str, Any]:
    """Return the facts that the page shows about a recording."""
    return {
        "id": id,
        "name": recording.name,
        "seconds": recording.frames / recording.sample_rate,
        "channels": recording.channels,
        "sample_rate": recording.sample_rate,
        "subtype": recording.subtype,
    }


def room_facts(id: str, room: Room) -> dict[str, Any]:
    """Return the facts that the page shows about a room."""
    entry = room.entry
    return {
        "id": id,
        "name": entry.name,
        "ir": room.ir,
        "own": room.own,
        "kind": entry.kind,
        "layout": entry.layout,
        "seconds": entry.seconds,
        "t30": entry.t30,
        "description": entry.description,
    }


def title(room: Room) -> str:
    """Return a room's name as a part of file names."""
    return room.entry.name.replace("/", "-")


def attached(name: str) -> dict[str, str]:
    """Return the header that makes a browser save an answer under a name."""
    return {"content-disposition": f"attachment; filename*=utf-8''{quote(name, safe='')}"}


def download(path: Path, name: str, after: BackgroundTask | None = None) -> Response:
    """Return an answer that the browser saves as a file, and run a task once it is sent."""
    return FileResponse(path, headers=attached(name), media_type="application/octet-stream", background=after)
