"""The responses that a session can step through, and an effect with another one in it."""

from collections.abc import Iterable
from dataclasses import replace
from typing import TypeAlias

from reverb.effects.effect import Chain, HasResponse
from reverb.effects.levelled import Levelled
from reverb.effects.reverb import Reverb
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
    """Return the response of an effect's reverb, the first if it is a chain of several; None if it has none."""
    if isinstance(effect, ImpulseResponse):
        return effect
    if isinstance(effect, Reverb):
        assert isinstance(effect.impulse_response, ImpulseResponse)
        return effect.impulse_response
    if isinstance(effect, Chain):
        return next((room for room in map(room_of, effect.effects) if room is not None), None)
    return room_of(effect.effect) if isinstance(effect, Levelled) else None


def with_room(effect: HasResponse, room: ImpulseResponse) -> HasResponse:
    """Return the effect with another response in its (first) reverb.

    Raises
    ------
    ParameterError
        If there is no reverb in it.
    """
    if isinstance(effect, ImpulseResponse):
        return room
    if isinstance(effect, Reverb):
        return replace(effect, impulse_response=room)
    if isinstance(effect, Chain):
        for place, part in enumerate(effect.effects):
            if room_of(part) is not None:
                return Chain((*effect.effects[:place], with_room(part, room), *effect.effects[place + 1 :]))
    if isinstance(effect, Levelled):
        return replace(effect, effect=with_room(effect.effect, room))
    raise ParameterError(f"{effect!r} has no reverb whose response could be exchanged")
