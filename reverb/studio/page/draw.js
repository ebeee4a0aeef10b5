// Pictures on canvases: the waveform with region and playhead, spectra, decays. The colors are those of the style sheet.

const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

/** Return a canvas's cleared context in CSS pixels, and its size. */
function begin(canvas) {
  const scale = window.devicePixelRatio || 1;
  const paint = canvas.getContext("2d");
  paint.reset(); // also resets the clip of an earlier picture
  const { width, height } = canvas.getBoundingClientRect();
  if (canvas.width !== Math.round(width * scale) || canvas.height !== Math.round(height * scale)) {
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
  }
  paint.setTransform(scale, 0, 0, scale, 0, 0);
  paint.font = "11px ui-sans-serif, system-ui, sans-serif";
  return { paint, width, height };
}

/** Draw half a waveform, up or down from the middle; on a square-root scale, so that tails are visible. */
function half({ low, high }, paint, width, middle, size, fill) {
  const x = (n) => ((n + 0.5) / low.length) * width;
  paint.beginPath();
  paint.moveTo(0, middle);
  high.forEach((value, n) => paint.lineTo(x(n), middle - Math.sign(size) * Math.max(Math.abs(size) * Math.sqrt(Math.max(value, -low[n], 0)), 0.5)));
  paint.lineTo(width, middle);
  paint.fillStyle = fill;
  paint.fill();
}

/** Draw the recording above the middle line, and the result below it.
 * @param seen the waveforms from the server, or null; @param at the position, @param region the loop, in seconds */
export function drawWave(canvas, seen, at, region) {
  const { paint, width, height } = begin(canvas);
  if (!seen) return;
  const middle = height / 2;
  const peak = Math.max(...[seen.before, seen.after].flatMap((one) => [Math.max(...one.high), -Math.min(...one.low)]), 0.05);
  const size = (middle - 8) / Math.sqrt(peak);
  const x = (seconds) => (seconds / seen.seconds) * width;
  if (region) {
    paint.fillStyle = color("chosen");
    paint.fillRect(x(region[0]), 0, Math.max(x(region[1]) - x(region[0]), 1), height);
    paint.fillStyle = color("wet");
    for (const edge of region) paint.fillRect(x(edge) - 0.75, 0, 1.5, height);
  }
  half(seen.before, paint, width, middle, size, color("dry"));
  half(seen.after, paint, width, middle, -size, color("wet"));
  paint.fillStyle = color("faint");
  const step = [0.5, 1, 2, 5, 10, 20, 30, 60].find((one) => (one / seen.seconds) * width > 56) ?? 60;
  for (let second = step; second < seen.seconds - step / 3; second += step) {
    paint.fillRect(x(second), height - 5, 1, 5);
    const text = `${second} s`;
    if (x(second) + 4 + paint.measureText(text).width < width) paint.fillText(text, x(second) + 4, height - 3);
  }
  paint.textAlign = "right";
  paint.fillText("before", width - 8, middle - 8);
  paint.fillText("after", width - 8, middle + 16);
  paint.fillStyle = color("ink");
  paint.fillRect(x(Math.min(at, seen.seconds)) - 0.75, 0, 1.5, height);
}

const LEFT = 34, BOTTOM = 20, TOP = 8, RIGHT = 10;

function frame(canvas, levels, xs) {
  const { paint, width, height } = begin(canvas);
  const y = (db) => TOP + ((levels[0] - db) / (levels[0] - levels[1])) * (height - TOP - BOTTOM);
  const x = (share) => LEFT + share * (width - LEFT - RIGHT);
  const ticks = levels[2];
  for (let db = Math.floor(levels[0] / ticks) * ticks; db >= levels[1]; db -= ticks) {
    paint.fillStyle = color("grid");
    paint.fillRect(LEFT, y(db), width - LEFT - RIGHT, 1);
    paint.fillStyle = color("faint");
    paint.textAlign = "right";
    paint.fillText(String(db).replace("-", "−"), LEFT - 6, y(db) + 4);
  }
  paint.textAlign = "center";
  for (const [share, text] of xs) {
    paint.fillStyle = color("grid");
    paint.fillRect(x(share), TOP, 1, height - TOP - BOTTOM);
    paint.fillStyle = color("faint");
    paint.fillText(text, Math.min(x(share), width - 14), height - 5);
  }
  paint.beginPath();
  paint.rect(LEFT, 0, width - LEFT, height - BOTTOM);
  paint.clip();
  return { paint, x, y, height };
}

function line(paint, points, stroke, fillTo = null) {
  paint.beginPath();
  for (const [x, y] of points) paint.lineTo(x, y);
  paint.lineWidth = 1.8;
  paint.lineJoin = "round";
  paint.strokeStyle = stroke;
  paint.stroke();
  if (fillTo === null || points.length === 0) return;
  paint.lineTo(points.at(-1)[0], fillTo);
  paint.lineTo(points[0][0], fillTo);
  paint.closePath();
  paint.globalAlpha = 0.12;
  paint.fillStyle = stroke;
  paint.fill();
  paint.globalAlpha = 1;
}

const logShare = (hz) => Math.log(hz / 20) / Math.log(1000);

export function drawSpectrum(canvas, seen) {
  const top = seen ? Math.ceil((Math.max(...seen.before.spectrum, ...seen.after.spectrum) + 3) / 10) * 10 : 0;
  const ticks = [[50, "50"], [100, "100"], [200, "200"], [500, "500"], [1000, "1k"], [2000, "2k"], [5000, "5k"], [10000, "10k"], [20000, "20k"]];
  const { paint, x, y, height } = frame(canvas, [top, top - 70, 20], ticks.map(([hz, text]) => [logShare(hz), text]));
  if (!seen) return;
  const points = (levels) => seen.hz.map((hz, n) => [x(logShare(hz)), y(levels[n])]);
  line(paint, points(seen.after.spectrum), color("wet"), height - BOTTOM);
  line(paint, points(seen.before.spectrum), color("dry"));
}

const roundStep = (step) => {
  const power = 10 ** Math.floor(Math.log10(step));
  return [1, 2, 5, 10].find((one) => one * power >= step * 0.999) * power;
};

/** @param asItIs, asSet curves, or null if not known yet; @param predelay of the second, in seconds */
export function drawDecay(canvas, asItIs, asSet, predelay) {
  const curves = [asItIs, asSet].filter(Boolean);
  const seconds = Math.max(...curves.map((one) => one.seconds.at(-1) + predelay), 0.1);
  const step = roundStep(seconds / 5);
  const ticks = [];
  for (let at = 0; at <= seconds * 1.0001; at += step) ticks.push([at / seconds, `${Number(at.toPrecision(3))}${at ? "" : " s"}`]);
  const { paint, x, y, height } = frame(canvas, [0, -70, 20], ticks);
  const points = (curve, late) => [
    ...(late ? [[x(late / seconds), height - BOTTOM]] : []),
    ...curve.seconds.map((at, n) => [x((at + late) / seconds), y(curve.level[n])]),
  ];
  if (asSet) line(paint, points(asSet, predelay), color("wet"), height - BOTTOM);
  if (asItIs) line(paint, points(asItIs, 0), color("dry"));
}

/** Return a room's decay as a small SVG path, for its card. */
export function sparkline(curve, longest) {
  const points = curve.seconds.map((at, n) => `${((at / longest) * 100).toFixed(2)},${((-curve.level[n] / 70) * 34 + 2).toFixed(2)}`);
  return `M0,36 L${points.join(" L")} L${((curve.seconds.at(-1) / longest) * 100).toFixed(2)},36 Z`;
}
