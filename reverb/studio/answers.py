"""The studio's answers: which address does what. Everything that sounds or is drawn is asked of other modules."""

import shutil
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from anyio import CapacityLimiter
from anyio.to_thread import run_sync
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

import reverb
from reverb.effects.effect import Effect
from reverb.effects.folding import FLOOR_DB, portable
from reverb.errors import ParameterError, UnknownNameError
from reverb.render.files import RenderReport, process_file
from reverb.render.job import Progress
from reverb.store.response_files import save_response
from reverb.studio import listening
from reverb.studio.messages import (
    asked_for,
    attached,
    download,
    pieces,
    recording_facts,
    room_facts,
    title,
    whole,
)
from reverb.studio.renders import Renders
from reverb.studio.settings import Settings
from reverb.studio.shelf import Limits, Recording, Room, Shelf, called, clean_name

PAGE = Path(__file__).resolve().parent / "page"
_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_MAX_RATE = 384_000
_COMPUTING = 2  # requests at once; more would only slow each other down
_UPLOADING = 2
EXAMPLE = "guitar.flac"
# An installed wheel has it beside the page, the source tree among its examples.
_EXAMPLES = (PAGE.parent / EXAMPLE, PAGE.parents[2] / "examples" / "audio" / EXAMPLE)
FORMATS = {"": ".wav", "PCM_16": ".wav", "PCM_24": ".wav", "FLOAT": ".wav", "FLAC": ".flac"}
"""What a render may be written as: a WAV in the recording's own subtype or in another, or a FLAC."""

_Result = TypeVar("_Result")


class Answers:
    """What is answered at each address, and the state behind it: the shelf, and the renders.

    Parameters
    ----------
    limits : Limits
    """

    def __init__(self, limits: Limits) -> None:
        self._shelf = Shelf(limits)
        self._renders = Renders()
        self._limiter, self._uploads = CapacityLimiter(_COMPUTING), CapacityLimiter(_UPLOADING)
        self._page = {path.name: path.read_bytes() for path in PAGE.iterdir() if path.suffix in _TYPES}

    def close(self) -> None:
        """Give up all renders, and remove what was brought and made."""
        self._renders.close()
        self._shelf.close()

    def routes(self) -> list[Route]:
        """Return all addresses."""
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
            raise UnknownNameError("no such part of the page")
        return Response(self._page[name], media_type=_TYPES[Path(name).suffix])

    async def _state(self, _request: Request) -> Response:
        limits = self._shelf.limits
        return JSONResponse(
            {
                "version": reverb.__version__,
                "limits": {"recording": limits.recording_bytes, "room": limits.response_bytes},
                "heard_seconds": listening.HEARD_SECONDS,
                "example": any(path.is_file() for path in _EXAMPLES),
                "rooms": [room_facts(id, room) for id, room in self._shelf.rooms.items()],
                "recordings": [
                    recording_facts(id, recording) for id, recording in self._shelf.recordings.items()
                ],
            }
        )

    # -- what is brought --------------------------------------------------------------------------------------

    async def _add_recording(self, request: Request) -> Response:
        shelf = self._shelf
        id = await self._take(request, shelf.limits.recording_bytes, shelf.recordings, shelf.add_recording)
        return JSONResponse(recording_facts(id, self._shelf.recording(id)), 201)

    async def _add_room(self, request: Request) -> Response:
        shelf = self._shelf
        id = await self._take(request, shelf.limits.response_bytes, shelf.rooms, shelf.add_room)
        return JSONResponse(room_facts(id, self._shelf.room(id)), 201)

    async def _add_example(self, _request: Request) -> Response:
        example = next((path for path in _EXAMPLES if path.is_file()), None)
        if example is None:
            raise UnknownNameError("the example is not installed; drop a recording of your own")
        self._shelf.check_space(self._shelf.recordings)
        path = self._shelf.new_path(example.suffix)
        shutil.copyfile(example, path)
        id = self._shelf.add_recording(path, EXAMPLE)
        return JSONResponse(recording_facts(id, self._shelf.recording(id)), 201)

    async def _take(
        self,
        request: Request,
        most: int,
        items: Mapping[str, object],
        add: Callable[[Path, str], str],
    ) -> str:
        """Write a request's body into the folder, no more than may come, and put it on the shelf."""
        async with self._uploads:
            self._shelf.check_space(items)
            return await self._written(request, most, add)

    async def _written(self, request: Request, most: int, add: Callable[[Path, str], str]) -> str:
        name = clean_name(request.query_params.get("name", ""))
        path = self._shelf.new_path(Path(name).suffix.lower())
        try:
            with path.open("wb") as file:
                async for piece in pieces(request, most, name):
                    file.write(piece)
            return await self._compute(lambda: add(path, name))
        except BaseException:
            path.unlink(missing_ok=True)
            raise

    async def _remove(self, request: Request) -> Response:
        self._shelf.remove(request.path_params["id"])
        return Response(status_code=204)

    # -- what is heard and seen -------------------------------------------------------------------------------

    async def _audio(self, request: Request) -> Response:
        recording = self._shelf.recording(request.path_params["id"])

        def read() -> bytes:
            return listening.wav(*listening.heard(recording.path))

        return Response(await self._compute(read), media_type="audio/wav")

    async def _decay(self, request: Request) -> Response:
        room = self._shelf.room(request.path_params["id"])
        return JSONResponse(await self._compute(lambda: listening.decay(room.load())))

    async def _folded(self, request: Request) -> Response:
        asked = await asked_for(request)
        rate, channels = whole(asked, "sample_rate", _MAX_RATE), whole(asked, "channels", 2)

        def fold() -> tuple[bytes, int]:
            response = listening.folded(self._effect(asked), rate, channels)
            return listening.wav(response.samples, rate), response.latency

        sound, latency = await self._compute(fold)
        return Response(sound, media_type="audio/wav", headers={"x-latency": str(latency)})

    async def _pictures(self, request: Request) -> Response:
        asked = await asked_for(request)
        recording = self._shelf.recording(asked.get("recording"))

        def draw() -> dict[str, Any]:
            room, settings = self._room(asked), _settings(asked)
            seen = listening.pictures(recording.path, settings.effect(room.load()))
            decays = {"as_it_is": room.load(), "as_set": settings.reverb(room.load()).room}
            return {**seen, "decay": {name: listening.decay(r) for name, r in decays.items()}}

        return JSONResponse(await self._compute(draw))

    # -- what is taken away -----------------------------------------------------------------------------------

    async def _response(self, request: Request) -> Response:
        asked = await asked_for(request)
        rate, name = whole(asked, "sample_rate", _MAX_RATE), title(self._room(asked))
        path = self._shelf.new_path(".wav")

        def save() -> None:
            save_response(portable(self._effect(asked).response(rate), name), path)

        await self._compute(save)
        return download(path, f"{name}-response.wav", BackgroundTask(path.unlink, missing_ok=True))

    async def _preset(self, request: Request) -> Response:
        asked = await asked_for(request)
        room = self._room(asked)
        text = _settings(asked).preset(room.ir, f"{room.entry.name}, set in reverb studio")
        self._effect(asked)  # so that no preset is given that would be refused later
        return Response(text, media_type="application/toml", headers=attached(f"{title(room)}.toml"))

    async def _render(self, request: Request) -> Response:
        asked = await asked_for(request)
        recording = self._shelf.recording(asked.get("recording"))
        subtype = asked.get("subtype", "")
        if subtype not in FORMATS:
            raise ParameterError(f"format {subtype!r}; expected one of {', '.join(filter(None, FORMATS))}")
        name = f"{Path(recording.name).stem}-{title(self._room(asked))}{FORMATS[subtype]}"
        work = partial(
            _as_chain_does,
            recording,
            await run_sync(self._effect, asked),
            None if subtype in ("", "FLAC") else subtype,
        )
        id = self._renders.add(name, self._shelf.new_path(FORMATS[subtype]), work)
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
        return download(render.path, render.name)

    # -- what is asked for ------------------------------------------------------------------------------------

    def _room(self, asked: dict[str, Any]) -> Room:
        return self._shelf.room(asked.get("room"))

    def _effect(self, asked: dict[str, Any]) -> Effect:
        return _settings(asked).effect(self._room(asked).load())


def _as_chain_does(
    recording: Recording, effect: Effect, subtype: str | None, path: Path, progress: Progress
) -> RenderReport:
    """Render as `reverb chain PRESET INPUT OUTPUT --keep-level` does."""
    with called(recording.path, recording.name), called(path, "the render"):
        return process_file(
            recording.path, path, effect, floor_db=FLOOR_DB, subtype=subtype, progress=progress
        )


def _settings(asked: dict[str, Any]) -> Settings:
    values = asked.get("settings")
    return Settings.of(values if isinstance(values, dict) else {})
