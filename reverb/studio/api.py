"""The studio's web API: a method for each address, and request bodies of bounded size.

Other modules compute the sounds and pictures.
"""

import json
import shutil
from collections.abc import AsyncIterator, Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

from anyio import CapacityLimiter
from anyio.to_thread import run_sync
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

import reverb
from reverb.checks import instance, one_of, whole
from reverb.effects.effect import Effect
from reverb.effects.fold import FLOOR_DB, portable
from reverb.errors import ParameterError, UnknownNameError
from reverb.render.files import RenderReport, process_file
from reverb.render.job import Progress
from reverb.store.response_files import save_response
from reverb.studio import preview
from reverb.studio.renders import Renders
from reverb.studio.settings import Settings
from reverb.studio.uploads import (
    Limits,
    Recording,
    Room,
    Uploads,
    clean_name,
    errors_naming,
    recording_facts,
    room_facts,
)

PAGE = Path(__file__).resolve().parent / "page"
_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_MAX_RATE = 384_000  # Hz
_MAX_COMPUTING = 2  # requests at a time; more would slow each other down
_MAX_UPLOADING = 2
EXAMPLE = "guitar.flac"
# Its place in an installed wheel, and in the source tree.
_EXAMPLES = (PAGE.parent / EXAMPLE, PAGE.parents[2] / "examples" / "audio" / EXAMPLE)
FORMATS = {"": ".wav", "PCM_16": ".wav", "PCM_24": ".wav", "FLOAT": ".wav", "FLAC": ".flac"}
"""File endings by output format: a WAV file in the recording's own subtype or in another, or a FLAC file."""

_MAX_JSON_BYTES = 64_000
_Result = TypeVar("_Result")


class TooLargeError(Exception):
    """A request's body is too large."""


class Api:
    """The web API: a handler for each address, and the state behind it: uploads and renders.

    Parameters
    ----------
    limits : Limits
    """

    def __init__(self, limits: Limits) -> None:
        self._files = Uploads(limits)
        self._renders = Renders()
        self._limiter, self._uploading = CapacityLimiter(_MAX_COMPUTING), CapacityLimiter(_MAX_UPLOADING)
        self._page = {path.name: path.read_bytes() for path in PAGE.iterdir() if path.suffix in _TYPES}

    def close(self) -> None:
        """Cancel all renders, and remove all files."""
        self._renders.close()
        self._files.close()

    def routes(self) -> list[Route]:
        """Return the routes of all addresses."""
        return [
            Route("/", self._index),
            Route("/page/{name}", self._file),
            Route("/api/state", self._state),
            Route("/api/recordings", self._add_recording, methods=["POST"]),
            Route("/api/recordings/{id}", self._remove, methods=["DELETE"]),
            Route("/api/recordings/{id}/audio", self._audio),
            Route("/api/example", self._add_example, methods=["POST"]),
            Route("/api/rooms", self._add_room, methods=["POST"]),
            Route("/api/rooms/{id}", self._remove, methods=["DELETE"]),
            Route("/api/rooms/{id}/decay", self._decay),
            Route("/api/folded", self._folded, methods=["POST"]),
            Route("/api/pictures", self._pictures, methods=["POST"]),
            Route("/api/response", self._response, methods=["POST"]),
            Route("/api/preset", self._preset, methods=["POST"]),
            Route("/api/renders", self._render, methods=["POST"]),
            Route("/api/renders/{id}", self._progress, methods=["GET"]),
            Route("/api/renders/{id}", self._cancel, methods=["DELETE"]),
            Route("/api/renders/{id}/file", self._rendered),
        ]

    # -- the page ---------------------------------------------------------------------------------------------

    async def _compute(self, work: Callable[[], _Result]) -> _Result:
        return await run_sync(work, limiter=self._limiter)

    async def _index(self, _request: Request) -> Response:
        return Response(self._page["index.html"], media_type="text/html")

    async def _file(self, request: Request) -> Response:
        name = request.path_params["name"]
        if name not in self._page:
            raise UnknownNameError("the page has no such file")
        return Response(self._page[name], media_type=_TYPES[Path(name).suffix])

    async def _state(self, _request: Request) -> Response:
        limits = self._files.limits
        return JSONResponse(
            {
                "version": reverb.__version__,
                "limits": {"recording": limits.recording_bytes, "room": limits.response_bytes},
                "preview_seconds": preview.PREVIEW_SECONDS,
                "example": any(path.is_file() for path in _EXAMPLES),
                "rooms": [room_facts(id, room) for id, room in self._files.rooms.items()],
                "recordings": [
                    recording_facts(id, recording) for id, recording in self._files.recordings.items()
                ],
            }
        )

    # -- uploads ----------------------------------------------------------------------------------------------

    async def _add_recording(self, request: Request) -> Response:
        files = self._files
        id = await self._receive(request, files.limits.recording_bytes, files.recordings, files.add_recording)
        return JSONResponse(recording_facts(id, self._files.recording(id)), 201)

    async def _add_room(self, request: Request) -> Response:
        files = self._files
        id = await self._receive(request, files.limits.response_bytes, files.rooms, files.add_room)
        return JSONResponse(room_facts(id, self._files.room(id)), 201)

    async def _add_example(self, _request: Request) -> Response:
        example = next((path for path in _EXAMPLES if path.is_file()), None)
        if example is None:
            raise UnknownNameError("the example is not installed; upload a recording of your own")
        self._files.check_space(self._files.recordings)
        path = self._files.new_path(example.suffix)
        shutil.copyfile(example, path)
        id = self._files.add_recording(path, EXAMPLE)
        return JSONResponse(recording_facts(id, self._files.recording(id)), 201)

    async def _receive(
        self,
        request: Request,
        limit: int,
        items: Mapping[str, object],
        add: Callable[[Path, str], str],
    ) -> str:
        """Save a request's body, of at most `limit` bytes, and add it to the uploads; return its id."""
        async with self._uploading:
            self._files.check_space(items)
            return await self._saved(request, limit, add)

    async def _saved(self, request: Request, limit: int, add: Callable[[Path, str], str]) -> str:
        name = clean_name(request.query_params.get("name", ""))
        path = self._files.new_path(Path(name).suffix.lower())
        try:
            with path.open("wb") as file:
                async for chunk in body_chunks(request, limit, name):
                    file.write(chunk)
            return await self._compute(lambda: add(path, name))
        except BaseException:
            path.unlink(missing_ok=True)
            raise

    async def _remove(self, request: Request) -> Response:
        self._files.remove(request.path_params["id"])
        return Response(status_code=204)

    # -- sounds and pictures ----------------------------------------------------------------------------------

    async def _audio(self, request: Request) -> Response:
        recording = self._files.recording(request.path_params["id"])

        def read() -> bytes:
            return preview.wav(*preview.beginning(recording.path))

        return Response(await self._compute(read), media_type="audio/wav")

    async def _decay(self, request: Request) -> Response:
        room = self._files.room(request.path_params["id"])
        return JSONResponse(await self._compute(lambda: preview.decay(room.load())))

    async def _folded(self, request: Request) -> Response:
        body = await _json_body(request)
        rate, channels = _sample_rate(body), whole("channels", body.get("channels"), 1, 2)

        def fold() -> tuple[bytes, int]:
            response = preview.folded(self._effect(body), rate, channels)
            return preview.wav(response.samples, rate), response.latency

        sound, latency = await self._compute(fold)
        return Response(sound, media_type="audio/wav", headers={"x-latency": str(latency)})

    async def _pictures(self, request: Request) -> Response:
        body = await _json_body(request)
        recording = self._files.recording(body.get("recording"))

        def draw() -> dict[str, Any]:
            room, settings = self._room(body), _settings(body)
            drawn = preview.pictures(recording.path, settings.effect(room.load()))
            decays = {"as_it_is": room.load(), "as_set": settings.reverb(room.load()).room}
            return {**drawn, "decay": {name: preview.decay(r) for name, r in decays.items()}}

        return JSONResponse(await self._compute(draw))

    # -- downloads --------------------------------------------------------------------------------------------

    async def _response(self, request: Request) -> Response:
        body = await _json_body(request)
        rate, name = _sample_rate(body), _title(self._room(body))
        path = self._files.new_path(".wav")

        def save() -> None:
            save_response(portable(self._effect(body).response(rate), name), path)

        await self._compute(save)
        return _download(path, f"{name}-response.wav", BackgroundTask(path.unlink, missing_ok=True))

    async def _preset(self, request: Request) -> Response:
        body = await _json_body(request)
        room = self._room(body)
        text = _settings(body).preset(room.ir, f"{room.entry.name}, set in reverb studio")
        self._effect(body)  # raises for a preset that could not be loaded
        return Response(text, media_type="application/toml", headers=_attached(f"{_title(room)}.toml"))

    async def _render(self, request: Request) -> Response:
        body = await _json_body(request)
        recording = self._files.recording(body.get("recording"))
        subtype = one_of("format", body.get("subtype", ""), FORMATS)
        name = f"{Path(recording.name).stem}-{_title(self._room(body))}{FORMATS[subtype]}"
        work = partial(
            _render_like_chain,
            recording,
            await run_sync(self._effect, body),
            None if subtype in ("", "FLAC") else subtype,
        )
        id = self._renders.add(name, self._files.new_path(FORMATS[subtype]), work)
        return JSONResponse(self._renders.facts(id), 202)

    async def _progress(self, request: Request) -> Response:
        return JSONResponse(self._renders.facts(request.path_params["id"]))

    async def _cancel(self, request: Request) -> Response:
        self._renders.cancel(request.path_params["id"])
        return Response(status_code=204)

    async def _rendered(self, request: Request) -> Response:
        render = self._renders.get(request.path_params["id"])
        if render.state != "done":
            raise UnknownNameError("the render is not done")
        return _download(render.path, render.name)

    # -- parameters of requests -------------------------------------------------------------------------------

    def _room(self, body: dict[str, Any]) -> Room:
        return self._files.room(body.get("room"))

    def _effect(self, body: dict[str, Any]) -> Effect:
        return _settings(body).effect(self._room(body).load())


def _render_like_chain(
    recording: Recording, effect: Effect, subtype: str | None, path: Path, progress: Progress
) -> RenderReport:
    """Render like `reverb chain PRESET INPUT OUTPUT --keep-level`."""
    with errors_naming(recording.path, recording.name), errors_naming(path, "the render"):
        return process_file(
            recording.path, path, effect, floor_db=FLOOR_DB, subtype=subtype, progress=progress
        )


def _settings(body: dict[str, Any]) -> Settings:
    return Settings.of(instance("settings", body.get("settings", {}), dict, "a JSON object"))


def _sample_rate(body: dict[str, Any]) -> int:
    return whole("sample_rate", body.get("sample_rate"), 1, _MAX_RATE, "Hz")


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


async def _json_body(request: Request) -> dict[str, Any]:
    """Return the JSON object in a request's body."""
    text = b"".join([chunk async for chunk in body_chunks(request, _MAX_JSON_BYTES, "the request")])
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise ParameterError("the request has no JSON object")
    return body


def _title(room: Room) -> str:
    """Return a room's name as a part of file names."""
    return room.entry.name.replace("/", "-")


def _attached(name: str) -> dict[str, str]:
    """Return the header that makes a browser save an answer under a name."""
    return {"content-disposition": f"attachment; filename*=utf-8''{quote(name, safe='')}"}


def _download(path: Path, name: str, after: BackgroundTask | None = None) -> Response:
    """Return an answer that the browser saves as a file, and run a task once it is sent."""
    return FileResponse(
        path, headers=_attached(name), media_type="application/octet-stream", background=after
    )
