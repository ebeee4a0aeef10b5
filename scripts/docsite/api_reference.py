"""The contents of the Python reference: the public names of the package, grouped by layer."""

from collections import defaultdict

import reverb

GROUPS = {
    "reverb.responses": ("Impulse responses", "Responses are values, for any sample rate."),
    "reverb.effects": (
        "Effects",
        "Rooms, filters, echoes and stereo; `>>` puts them in series, `+` in parallel.",
    ),
    "reverb.store": ("Files of responses and presets", "Load and save; names of the library."),
    "reverb.live": ("Streams", "Convolution in real time, block by block."),
    "reverb.render": ("Files", "Effects applied to audio files."),
    "reverb.engine": ("Arrays", "Convolution of arrays, whole or in pieces."),
    "reverb.errors": ("Errors", "All are `ReverbError`, and each is also a builtin error."),
}
MODULES = {
    "Live": ("reverb.live", ("session.Session", "cards.devices", "play_record.measure_latency")),
    "Measuring and making responses": (
        "reverb.responses",
        (
            "acoustics.measure",
            "compare.compare",
            "measure.sweep.Sweep",
            "measure.sweep_deconvolution.deconvolve",
            "measure.identify.identify",
            "measure.burst.from_burst",
            "decay.shaping.with_rt60",
            "spectra.minimum_phase",
        ),
    ),
}


def page() -> str:
    """Return the page as Markdown, with directives for mkdocstrings."""
    parts = [
        "# Python",
        "Audio arrays are `(frames, channels)` or `(frames,)`, float32 or float64; results have the same form. All"
        " names of the first groups are in `reverb` itself; a name is loaded when it is first used.",
    ]
    for title, introduction, names in groups():
        parts += [f"## {title}", introduction, *(f"::: {name}" for name in names)]
    for title, (package, below) in MODULES.items():
        parts += [f"## {title}", f"From `{package}`.", *(f"::: {package}.{name}" for name in below)]
    return "\n\n".join(parts) + "\n"


def groups() -> list[tuple[str, str, list[str]]]:
    """Return the title, introduction and full names of each group of public names."""
    found = defaultdict(list)
    for name in reverb.__all__:
        home = reverb._HOME[name]
        group = next(prefix for prefix in GROUPS if home == prefix or home.startswith(f"{prefix}."))
        found[group].append(f"{home}.{name}")
    return [(*GROUPS[prefix], found[prefix]) for prefix in GROUPS]
