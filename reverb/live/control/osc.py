"""Remote control by Open Sound Control (extra `live`).

=========================  ============================  ==================================================
address                    argument                      effect
=========================  ============================  ==================================================
/reverb/mix                number, 0 to 1                proportion of the wet sound
/reverb/wet, /reverb/dry   number, dB, −60 is silence    levels of the two paths, in place of a mix
/reverb/gain               number, dB                    level of both together
/reverb/bypass             number or bool                1: only the dry sound
/reverb/mute               number or bool                1: silence
/reverb/response           name, or number from 0        another response
/reverb/next, /previous    none, or number (0: ignored)  the neighboring response
/reverb/record             none, or number (0: ignored)  start or stop recording
=========================  ============================  ==================================================
"""

import threading
from typing import Any

from reverb.checks import instance, whole
from reverb.errors import DeviceError, ParameterError, ReverbError, missing_extra
from reverb.live.control.core import PARAMETERS, Controllable, request_number, set_parameter

PORT = 9000
_MAX_PORT = 65535
_ROOT = "/reverb/"


class OscControl:
    """Receives OSC messages over UDP until it is closed.

    Parameters
    ----------
    session : Controllable
    port : int
        0 to 65535; 0 for any free port.
    host : str
        Network address; the default accepts messages from this machine only.

    Attributes
    ----------
    port : int
        The port in use.
    refused : int
        Messages that were not understood or could not be carried out.

    Raises
    ------
    MissingExtraError
        If python-osc is not installed.
    ParameterError
        If the port is no number from 0 to 65535.
    DeviceError
        If the port is not available.
    """

    def __init__(self, session: Controllable, port: int = PORT, host: str = "127.0.0.1") -> None:
        try:
            from pythonosc.dispatcher import Dispatcher
            from pythonosc.osc_server import BlockingOSCUDPServer
        except ImportError as error:
            raise missing_extra("live", "OSC needs python-osc") from error
        port = whole("port", port, 0, _MAX_PORT)
        instance("host", host, str, "a network address")
        self._session = session
        self.refused = 0
        dispatcher = Dispatcher()
        dispatcher.set_default_handler(self.receive)
        try:
            self._server = BlockingOSCUDPServer((host, port), dispatcher)
        except OSError as error:
            raise DeviceError(
                f"OSC cannot listen at {host}:{port} ({error}); choose another --osc port"
            ) from error
        self._server.handle_error = self._count_refused  # type: ignore  # the default prints a traceback
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), name="reverb-osc", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Stop receiving."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def receive(self, address: str, *arguments: Any) -> None:
        """Act on a message; called by the OSC thread."""
        if not self._session.started:
            return
        try:
            self._carry_out(address, arguments)
        except (ReverbError, TypeError, ValueError, OverflowError) as error:
            self.refused += 1
            self._session.tell(f"OSC {address} refused: {error}")

    def _carry_out(self, address: str, arguments: tuple[Any, ...]) -> None:
        name = address.removeprefix(_ROOT)
        if not address.startswith(_ROOT):
            raise ParameterError(f"unknown address; expected {_ROOT}...")
        value = arguments[0] if arguments else None
        if name in PARAMETERS:
            if value is None or isinstance(value, str):
                raise ParameterError("expected a number")
            set_parameter(self._session, name, float(value))
        elif name == "response" and value is not None:
            if isinstance(value, str):
                self._session.request(value)
            else:
                request_number(self._session, int(value))
        elif name in ("next", "previous", "record"):
            if value is not None and not float(value):
                return  # a released button
            if name == "record":
                self._session.toggle_recording()
            else:
                self._session.step(1 if name == "next" else -1)
        else:
            known = [*PARAMETERS, "response", "next", "previous", "record"]
            raise ParameterError(f"unknown address; expected {_ROOT} and one of {', '.join(known)}")

    def _count_refused(self, _request: object, _client: object) -> None:
        self.refused += 1
