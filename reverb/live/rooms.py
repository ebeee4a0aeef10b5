"""The responses that a session can step through, and an effect with another one in it."""

from collections.abc import Iterable
from typing import TypeAlias

from reverb.effects.effect import HasResponse
from reverb.effects.tree import first, replace_first
from reverb.errors import ParameterError
from reverb.responses.response import ImpulseResponse
from reverb.store import library

Rooms: TypeAlias = dict[str, ImpulseResponse | None]
"""Responses by name, in order; None is loaded from the library when it is wanted."""


def gather(effect: HasResponse, chosen: Iterable[ImpulseResponse | str] | None) -> Rooms:
    """Return what to step through: what was chosen, or else the library, with the effect's own response."""
    rooms: Rooms = {}
    if chosen is None:
        rooms = dict.fromkeys(library.names())
    else:
        for room in chosen:
            response = library.as_response(room)
            rooms[response.name] = response
    own = room_of(effect)
    if own is not None and own.name not in rooms:
        rooms = {own.name: own, **rooms}
    return rooms


def take(rooms: Rooms, name: str) -> ImpulseResponse:
    """Return a response by its name; one that is not among them is looked for in the library and on disk."""
    found = rooms.get(name)
    return found if found is not None else library.impulse(name)


def room_of(effect: HasResponse) -> ImpulseResponse | None:
    """Return the first impulse response inside an effect, or None."""
    return first(effect, ImpulseResponse)


def with_room(effect: HasResponse, room: ImpulseResponse) -> HasResponse:
    """Return the effect with its first impulse response exchanged.

    Raises
    ------
    ParameterError
        If there is none.
    """
    if room_of(effect) is None:
        raise ParameterError(f"{effect!r} has no impulse response that could be exchanged; expected a reverb")
    return replace_first(effect, ImpulseResponse, lambda _: room)
