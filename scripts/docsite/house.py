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
    width = (WALL - LABEL - 14) / len(packages)
    for n, package in enumerate(packages):
        left = LEFT + LABEL + n * width
        parts += [
            f'<rect x="{left:.1f}" y="{top + 14}" width="{width - 10:.1f}" height="{FLOOR - 28}" rx="4" '
            f'fill="{theme.lines[1]}" fill-opacity="0.14" stroke="{theme.lines[1]}"/>',
            _text(left + 9, top + 36, package, theme.ink, 13.5, bold=True),
            *(
                _text(left + 9, top + 53 + 13 * line, text, theme.ink, 10)
                for line, text in enumerate(purpose(package, int((width - 22) / 5.2)))
            ),
        ]
    return parts


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
