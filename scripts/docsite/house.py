"""Draw the layers of docs/architecture.md as the floors of a house, with their packages, as SVG."""

import ast
import re
from pathlib import Path
from xml.sax.saxutils import escape

from reverb.plots.figures import Theme

ROOT = Path(__file__).resolve().parents[2]
ROW = re.compile(r"^\| (\d) \| ([^|]+) \| (`reverb\.[^|]+) \|$", re.MULTILINE)
PACKAGE = re.compile(r"`reverb\.(\w+)`")
WIDTH, FLOOR, GAP, ROOF, GROUND = 880, 116, 6, 92, 46
LEFT, WALL = 40, 800
LABEL = 250
MAX_LINES = 4
PER_ROW = 5
PIXELS_PER_LETTER = 5.6
FONT = "system-ui, 'DejaVu Sans', sans-serif"


def floors() -> list[tuple[int, str, list[str]]]:
    """Return the number, description and packages of each layer, from the top down."""
    table = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    return [(int(number), world, PACKAGE.findall(row)) for number, world, row in ROW.findall(table)]


def purpose(package: str, width: int) -> list[str]:
    """Return the first sentence of a package's docstring, or as many of its clauses as fit."""
    path = ROOT / "reverb" / package / "__init__.py"
    path = path if path.is_file() else path.parent.with_suffix(".py")
    line = (ast.get_docstring(ast.parse(path.read_text("utf-8"))) or "").split("\n")[0]
    sentence = re.split(r"\.(?!\d)|;", re.sub(r"^Layer \d: ", "", line))[0]
    while len(lines := _wrapped(sentence, width)) > MAX_LINES and re.search("[,:(]", sentence):
        sentence = re.split(r"[,:(][^,:(]*$", sentence)[0].strip()
    return lines


def draw(theme: Theme) -> str:
    """Return the picture as the text of an SVG file."""
    rows = floors()
    height = ROOF + len(rows) * (FLOOR + GAP) + GROUND
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" font-family="{FONT}">',
        "<title>The layers of reverb as the floors of a house; imports go downwards only</title>",
        f'<rect width="{WIDTH}" height="{height}" rx="8" fill="{theme.ground}"/>',
        f'<path d="M{LEFT - 22} {ROOF - 4} L{WIDTH / 2} 14 L{LEFT + WALL + 22} {ROOF - 4} Z" fill="{theme.lines[0]}"/>',
        _text(WIDTH / 2, 62, "reverb", theme.ground, 22, "middle", bold=True),
        _text(WIDTH / 2, 80, "everything is an impulse response", theme.ground, 12.5, "middle"),
    ]
    for row, (number, world, packages) in enumerate(rows):
        parts += _floor(theme, ROOF + row * (FLOOR + GAP), number, world, packages)
    end = height - GROUND
    parts += [
        f'<path d="M12 {end} H{WIDTH - 12}" stroke="{theme.ink}" stroke-width="3"/>',
        _text(WIDTH / 2, end + 27, "numpy · scipy · libsndfile · PortAudio", theme.ink, 13, "middle"),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _floor(theme: Theme, top: float, number: int, world: str, packages: list[str]) -> list[str]:
    name, _, rest = world.partition(":")
    parts = [
        f'<rect x="{LEFT}" y="{top}" width="{WALL}" height="{FLOOR}" fill="none" stroke="{theme.ink}" '
        'stroke-width="1.5"/>',
        _text(LEFT + 14, top + 42, str(number), theme.lines[0], 30, bold=True),
        _text(LEFT + 46, top + 36, name, theme.ink, 16, bold=True),
        *(
            _text(LEFT + 46, top + 56 + 16 * n, line, theme.ink, 11.5)
            for n, line in enumerate(_wrapped(rest, 27))
        ),
    ]
    rows = [packages[n : n + PER_ROW] for n in range(0, len(packages), PER_ROW)]
    height = (FLOOR - 28 - 8 * (len(rows) - 1)) / len(rows)
    for number_of_row, row in enumerate(rows):
        above = top + 14 + number_of_row * (height + 8)
        width = (WALL - LABEL - 14) / len(rows[0])
        for n, package in enumerate(row):
            parts += _box(theme, LEFT + LABEL + n * width, above, width - 10, height, package)
    return parts


def _box(theme: Theme, left: float, top: float, width: float, height: float, package: str) -> list[str]:
    """Draw a package: its name, and its purpose where there is room."""
    lines = purpose(package, int((width - 12) / PIXELS_PER_LETTER)) if height > FLOOR / 2 else []
    return [
        f'<rect x="{left:.1f}" y="{top:.1f}" width="{width:.1f}" height="{height:.1f}" rx="4" '
        f'fill="{theme.lines[1]}" fill-opacity="0.14" stroke="{theme.lines[1]}"/>',
        _text(left + 9, top + (22 if lines else height / 2 + 5), package, theme.ink, 13.5, bold=True),
        *(_text(left + 9, top + 39 + 13 * n, line, theme.ink, 10) for n, line in enumerate(lines)),
    ]


def _wrapped(text: str, width: int) -> list[str]:
    lines = [""]
    for word in text.split():
        if len(lines[-1]) + len(word) + 1 > width and lines[-1]:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines


def _text(
    x: float, y: float, text: str, fill: str, size: float, anchor: str = "start", *, bold: bool = False
) -> str:
    weight = ' font-weight="600"' if bold else ""
    return (
        f'<text x="{x:g}" y="{y:g}" font-size="{size:g}" text-anchor="{anchor}"{weight} fill="{fill}">'
        f"{escape(text)}</text>"
    )
