"""A session on a full screen: meters, load, the response and its decay, and keys for every control (Textual)."""

import math
from collections import deque
from typing import ClassVar, Protocol

from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Footer, Static

from reverb.live.control.core import PARAMETERS, set_or_tell
from reverb.live.control.midi import MidiMap
from reverb.live.meters import Level
from reverb.monitor.text import FLOOR_DB, MonitoredSession, bar, clock, db, decay, levels, scale, title

_FRAMES_PER_SECOND = 10
_NAME_WIDTH = len("out 1 ")
_MIN_DECAY_ROWS, _MAX_DECAY_ROWS = 6, 16
_OTHER_ROWS = 18
_MAX_MESSAGES = 4
_HELP = """\
B      bypass: only the dry sound           M      mute
← →    previous, next response              R      start or stop recording
+ -    mix, by 5 %                          L      learn a MIDI controller
W S    wet up, down by 1 dB                 C      forget clips and howls
E D    dry up, down by 1 dB                 H      this help
↑ ↓    gain up, down by 1 dB                Q      quit"""


class ScreenSession(MonitoredSession, Protocol):
    """The part of a session that the full screen uses."""

    messages: deque[str]

    @property
    def ended(self) -> bool:
        """Whether the session has ended."""
        ...

    @property
    def recording(self) -> object:
        """The file that is being recorded, None if there is none."""
        ...

    def clear_alerts(self) -> None:
        """Forget clips and howls."""
        ...


class Monitor(App[None]):
    """Shows a running session and moves its parameters; starting and ending it is up to the caller.

    Parameters
    ----------
    session : Session
    midi_map : MidiMap, optional
        Learns controllers.
    duration : float, optional
        Seconds after which the monitor closes.
    """

    TITLE = "reverb"
    ENABLE_COMMAND_PALETTE = False
    CSS = """
    Screen { layout: vertical; padding: 0 1; }
    Static { height: auto; }
    #title { text-style: bold; margin-bottom: 1; }
    #decay { color: $primary; margin: 1 0; }
    #messages { color: $warning; margin-top: 1; }
    #help { border: round $primary; padding: 0 1; display: none; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("b", "flip('bypass')", "Bypass"),
        Binding("m", "flip('mute')", "Mute"),
        Binding("left", "step(-1)", "Previous"),
        Binding("right", "step(1)", "Next"),
        Binding("plus,equals_sign", "nudge('mix', 0.05)", "Mix +", show=False),
        Binding("minus", "nudge('mix', -0.05)", "Mix -", show=False),
        Binding("w", "nudge('wet', 1)", "Wet +", show=False),
        Binding("s", "nudge('wet', -1)", "Wet -", show=False),
        Binding("e", "nudge('dry', 1)", "Dry +", show=False),
        Binding("d", "nudge('dry', -1)", "Dry -", show=False),
        Binding("up", "nudge('gain', 1)", "Gain +", show=False),
        Binding("down", "nudge('gain', -1)", "Gain -", show=False),
        Binding("r", "record", "Record"),
        Binding("l", "learn", "MIDI learn", show=False),
        Binding("c", "clear_alerts", "Forget clips", show=False),
        Binding("h,question_mark", "help", "Help"),
        Binding("q,ctrl+c,ctrl+q", "quit", "Quit", priority=True),
    ]

    def __init__(
        self, session: ScreenSession, midi_map: MidiMap | None = None, duration: float | None = None
    ) -> None:
        super().__init__()
        self._session, self._midi_map, self._duration = session, midi_map, duration
        self._drawn: tuple[object, int, int] | None = None
        self._told: deque[str] = deque(maxlen=_MAX_MESSAGES)

    def compose(self) -> ComposeResult:
        """Yield the parts of the screen, from the top."""
        with Vertical():
            yield Static(id="title")
            for name in ("input", "output", "scale", "load", "levels", "decay", "messages"):
                yield Static(id=name)
            yield Static(_HELP, id="help")
        yield Footer()

    def on_mount(self) -> None:
        """Draw the session, and again ten times a second."""
        self.show()
        self.set_interval(1 / _FRAMES_PER_SECOND, self.show)
        if self._duration is not None:
            self.set_timer(self._duration, self.exit)

    def show(self) -> None:
        """Draw the session; close the monitor if it has ended."""
        session = self._session
        if session.ended:
            self.exit()
            return
        meters, stats = session.meters(), session.stats()
        width = max(20, self.size.width - 34)
        self._put("title", f"{title(session)}   {clock(stats.seconds)}")
        self._put("input", _meter("in ", meters.input, width))
        self._put("output", _meter("out", meters.output, width))
        self._put("scale", f"{' ' * _NAME_WIDTH}{scale(width)}")
        recording = f"   ● {session.recording}" if session.recording is not None else ""
        period = 1000 * stats.block_size / stats.sample_rate
        self._put(
            "load",
            f"load {meters.load:6.1%}   worst block {stats.load.worst:.1%} of {period:.2f} ms   xruns {stats.xruns}"
            f"   {stats.sample_rate} Hz / {stats.block_size}{recording}",
        )
        self._put("levels", levels(session))
        rows = min(max(self.size.height - _OTHER_ROWS, _MIN_DECAY_ROWS), _MAX_DECAY_ROWS)
        self._draw_decay(self.size.width - 2, rows)
        while session.messages:
            self._told.append(session.messages.popleft())
        self._put("messages", "\n".join(self._told))

    def _put(self, name: str, content: str | Text) -> None:
        for place in self.query(f"#{name}").results(Static):  # none while the screen closes
            place.update(Text(content) if isinstance(content, str) else content)

    def _draw_decay(self, width: int, height: int) -> None:
        drawn = (self._session.response, width, height)
        if width > 0 and self._drawn != drawn:
            self._drawn = drawn
            self._put("decay", "\n".join(decay(*drawn)))

    def action_flip(self, name: str) -> None:
        """Toggle a switch."""
        set_or_tell(self._session, name, not getattr(self._session, name))
        self.show()

    def action_nudge(self, name: str, by: float) -> None:
        """Move a level by a step; a silent one starts at −60 dB, an unset mix in the middle."""
        now = getattr(self._session, name)
        if now is None:
            now = 0.5 - by
        set_or_tell(self._session, name, max(now, FLOOR_DB) + by if math.isinf(now) else now + by)
        self.show()

    def action_step(self, by: int) -> None:
        """Request a neighboring response."""
        self._session.step(by)

    def action_record(self) -> None:
        """Start or stop recording."""
        self._session.toggle_recording()
        self.show()

    def action_learn(self) -> None:
        """Learn a MIDI controller for the next parameter; after the last one, end learning."""
        if self._midi_map is None:
            self._told.append("MIDI is off; start with --midi")
            return
        names = [*PARAMETERS, None]
        now = self._midi_map.learning
        following = names[(names.index(now) + 1) % len(names)]
        self._midi_map.learn(following)
        self._told.append(f"move a MIDI controller for {following}" if following else "MIDI: learning ended")

    def action_clear_alerts(self) -> None:
        """Forget clips and howls."""
        self._session.clear_alerts()

    def action_help(self) -> None:
        """Switch between the list of keys and the decay."""
        shown = self.query_one("#help", Static)
        shown.display = not shown.display
        self.query_one("#decay", Static).display = not shown.display

    async def action_quit(self) -> None:
        """Close the monitor."""
        self.exit()


def _meter(name: str, level: Level, width: int) -> Text:
    """Return the meters of all channels, one line each."""
    text = Text()
    for channel in range(len(level.peak)):
        lines = "" if channel == 0 else "\n"
        text.append(f"{lines}{name} {channel + 1} ")
        text.append(bar(level, channel, width), style=_color(level.hold[channel]))
        text.append(f" {db(level.peak[channel]):>6} rms {db(level.rms[channel]):>6}")
        if level.clipped:
            text.append(" CLIP", style="bold red")
    return text


def _color(hold: float) -> str:
    return "red" if hold >= -0.1 else "yellow" if hold >= -9.0 else "green"
