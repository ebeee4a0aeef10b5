"""Impulse responses in files other than sound files: bare numbers, SOFA, the configurations of other convolvers.

`reverb.store.response_files.load_response` loads the reader for a file's ending from `READERS`.
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
"""Readers by a file's ending, as module:function; each takes path, layout and sample rate."""


class UnknownRateError(ParameterError):
    """Neither a file nor its name has a sample rate."""
