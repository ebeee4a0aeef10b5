"""A place for one message between two threads: the newest wins, and no thread waits."""

from collections import deque
from typing import Generic, TypeVar

Message = TypeVar("Message")


class Latest(Generic[Message]):
    """Hold the newest message that has not been taken yet.

    `put` and `take` are single operations on a deque, which the interpreter does not interrupt: a message is taken once
    or replaced, never lost. Nothing is locked, so an audio thread may take. A message that is replaced is freed
    in the thread that put the newer one.

    Examples
    --------
    >>> mailbox = Latest[str]()
    >>> mailbox.put("an old request")
    >>> mailbox.put("a new request")
    >>> mailbox.take()
    'a new request'
    >>> mailbox.take() is None
    True
    """

    __slots__ = ("_messages",)

    def __init__(self) -> None:
        self._messages: deque[Message] = deque(maxlen=1)

    def put(self, message: Message) -> None:
        """Leave a message in place of one that has not been taken."""
        self._messages.append(message)

    def take(self) -> Message | None:
        """Return the message and remove it; None if there is none."""
        if not self._messages:  # an exception takes longer
            return None
        try:
            return self._messages.popleft()
        except IndexError:  # another thread took it just now
            return None

    @property
    def waiting(self) -> bool:
        """Whether there is a message that has not been taken."""
        return bool(self._messages)
