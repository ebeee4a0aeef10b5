"""A response as HTML for a notebook: facts, a player, and its decay as inline SVG, without matplotlib."""

import base64
import html
import io
from typing import TYPE_CHECKING

import numpy as np
import soundfile

from reverb.plots.outlines import decay_line
from reverb.responses.acoustics import measure

if TYPE_CHECKING:
    from reverb.responses.response import ImpulseResponse

_PLAYED_SECONDS = 8.0
_PLAYED_PEAK = 0.7
_FLOOR_DB = -80.0
_WIDTH, _HEIGHT, _LEFT, _BOTTOM = 520, 190, 46, 34
_POINTS = 300
_COLORS = ("#d0643a", "#4a8fc4", "#a8942a", "#9a6fc4")


def as_html(response: "ImpulseResponse") -> str:
    """Return a response as self-contained HTML, for notebooks with a light or a dark background.

    The player has its first two channels, at most eight seconds, with the peak at −3 dBFS.
    """
    facts = [
        response.layout,
        f"{response.seconds:.2f} s",
        f"{response.sample_rate} Hz",
        *_decay_facts(response),
    ]
    name = html.escape(response.name or "impulse response")
    sound = base64.b64encode(_wav(response)).decode("ascii")
    return (
        f"<div><b>{name}</b> · {' · '.join(map(html.escape, facts))}<br>"
        f'<audio controls preload="none" src="data:audio/wav;base64,{sound}"></audio><br>{decay_svg(response)}</div>'
    )


def decay_svg(response: "ImpulseResponse") -> str:
    """Return the energy decay curves of a response's first four channels as an inline SVG."""
    lines = [
        decay_line(column, response.sample_rate, _FLOOR_DB, _POINTS)
        for column in response.samples[:, :4].T
        if column.any()
    ]
    seconds = max((float(line.x[-1]) for line in lines), default=0.0) or 1 / response.sample_rate
    parts = _axes(seconds)
    for line, color in zip(lines, _COLORS, strict=False):
        points = " ".join(
            f"{_x(x / seconds):.1f},{_y(float(y)):.1f}" for x, y in zip(line.x, line.y, strict=True)
        )
        parts.append(f'<polyline points="{points}" fill="none" stroke="{color}" stroke-width="1.8"/>')
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{_HEIGHT}" '
        f'viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif" font-size="11" role="img" '
        f'aria-label="energy decay">{"".join(parts)}</svg>'
    )


def _decay_facts(response: "ImpulseResponse") -> list[str]:
    if not response.samples.any(axis=0).all():
        return []
    t30 = measure(response.samples, response.sample_rate, bands="broadband").mean[0].t30
    return [f"T30 {t30.seconds:.2f} s"] if t30.valid else []


def _axes(seconds: float) -> list[str]:
    """Return grid, ticks and labels in the notebook's text color."""
    parts = []
    for level in range(0, round(_FLOOR_DB) - 1, -20):
        y = _y(level)
        parts.append(_line(_x(0), y, _x(1), y))
        parts.append(_text(_LEFT - 6, y + 4, str(level).replace("-", "−"), "end"))
    step = _round_step(seconds / 5)
    for number in range(int(seconds / step + 1e-9) + 1):
        x = _x(number * step / seconds)
        parts.append(_line(x, _y(0), x, _y(_FLOOR_DB)))
        parts.append(_text(x, _HEIGHT - _BOTTOM + 15, f"{number * step:g}", "middle"))
    middle = (_y(0) + _y(_FLOOR_DB)) / 2
    parts.append(_text(_x(0.5), _HEIGHT - 4, "time after the direct sound (s)", "middle"))
    turned = _text(12, middle, "level (dB)", "middle")
    parts.append(turned.replace("<text ", f'<text transform="rotate(-90 12 {middle:.1f})" '))
    return parts


def _x(share: float) -> float:
    return _LEFT + share * (_WIDTH - _LEFT - 12)


def _y(level: float) -> float:
    return 8 + max(level, _FLOOR_DB) / _FLOOR_DB * (_HEIGHT - _BOTTOM - 8)


def _line(x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<path d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}" stroke="currentColor" stroke-opacity="0.2"/>'


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="currentColor">{text}</text>'


def _round_step(step: float) -> float:
    """Return the smallest of 1, 2 and 5 times powers of ten that is at least `step`."""
    power = 10.0 ** np.floor(np.log10(step))
    return float(power * next(m for m in (1, 2, 5, 10) if m * power >= step * (1 - 1e-9)))


def _wav(response: "ImpulseResponse") -> bytes:
    samples = np.asarray(response.samples[: round(_PLAYED_SECONDS * response.sample_rate), :2], np.float64)
    peak = float(np.abs(samples).max())
    file = io.BytesIO()
    soundfile.write(
        file, samples * (_PLAYED_PEAK / peak if peak else 1.0), response.sample_rate, "PCM_16", format="WAV"
    )
    return file.getvalue()
