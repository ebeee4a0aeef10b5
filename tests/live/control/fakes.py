"""A session for controllers."""

from collections import deque


class ControlledSession:
    """A session that plays nothing and remembers its calls."""

    def __init__(self) -> None:
        self.started = True
        self.mix: float | None = 0.3
        self.wet, self.dry, self.gain, self.bypass, self.mute = 0.0, 0.0, 0.0, False, False
        self.responses = ("a", "b", "c")
        self.asked: list[object] = []
        self.messages: deque[str] = deque()

    def request(self, response: str) -> None:
        self.asked.append(response)

    def step(self, by: int) -> None:
        self.asked.append(by)

    def toggle_recording(self) -> None:
        self.asked.append("record")

    def tell(self, message: str) -> None:
        self.messages.append(message)
