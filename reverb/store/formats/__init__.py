"""Responses in files that are no sound files: bare numbers, SOFA, the configurations of other convolvers.

`READERS` names the module and function for each ending; `reverb.store.response_files.load_response` looks there.
"""

from reverb.errors import ParameterError

READERS = {
    ".npy": "bare:read_npy",
    ".f32": "bare:read_raw",
    ".raw": "bare:read_raw",
    ".pcm": "bare:read_raw",
    ".f64": "bare:read_raw",
    ".dbl": "bare:read_raw",
    ".txt": "text:read_text",
    ".csv": "text:read_text",
    ".sofa": "sofa:read_sofa",
    ".conf": "jconvolver:read_jconvolver",
}
"""A reader takes (path, layout or None, sample rate or None) and gives an `ImpulseResponse`."""


class UnknownRateError(ParameterError):
    """Neither a file nor its name tells the sample rate."""
