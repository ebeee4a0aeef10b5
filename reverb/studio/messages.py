"""What comes in requests and goes out in answers: bodies of bounded size, plain facts, files to save."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from reverb.errors import ParameterError
from reverb.studio.shelf import Recording, Room

_MOST_JSON = 64_000


class TooLargeError(Exception):
    """A request's body is larger than it may be."""


async def pieces(request: Request, most: int, what: str) -> AsyncIterator[bytes]:
    """Give a request's body piece by piece, at most so many bytes."""
    told = request.headers.get("content-length", "")
    size = int(told) if told.isdecimal() and len(told) < 20 else 0
    if size <= most:
        size = 0
        async for piece in request.stream():
            size += len(piece)
            if size > most:
                break
            yield piece
    if size > most:
        raise TooLargeError(f"{what}: larger than {most / 1e6:g} MB, which is all that may come at once")


async def asked_for(request: Request) -> dict[str, Any]:
    """Return the object that a request's body holds as JSON."""
    body = b"".join([piece async for piece in pieces(request, _MOST_JSON, "the request")])
    try:
        asked = json.loads(body)
    except (ValueError, RecursionError):
        asked = None
    if not isinstance(asked, dict):
        raise ParameterError("the request holds no JSON object")
    return asked


def whole(asked: dict[str, Any], name: str, most: int) -> int:
    """Return a whole number that is asked for, from 1 to `most`."""
    value = asked.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
        raise ParameterError(f"{name} {value!r}; expected a whole number from 1 to {most}")
    return value


def recording_facts(id: str, recording: Recording) -> dict[str, Any]:
    """Return what the page shows of a recording."""
    return {
        "id": id,
        "name": recording.name,
        "seconds": recording.frames / recording.sample_rate,
        "channels": recording.channels,
        "sample_rate": recording.sample_rate,
        "subtype": recording.subtype,
    }


def room_facts(id: str, room: Room) -> dict[str, Any]:
    """Return what the page shows of a room."""
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
    """Return what files made with a room are called."""
    return room.entry.name.replace("/", "-")


def attached(name: str) -> dict[str, str]:
    """Return the header that names a file to save."""
    return {"content-disposition": f"attachment; filename*=utf-8''{quote(name, safe='')}"}


def download(path: Path, name: str, after: BackgroundTask | None = None) -> Response:
    """Return an answer that is saved as a file, and what is to be done once it is sent."""
    return FileResponse(path, headers=attached(name), media_type="application/octet-stream", background=after)
