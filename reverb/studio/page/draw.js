// Pictures on canvases: the waveform with its region and playhead, spectra, decays. Colours are the style sheet's.

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

/** A canvas's context in CSS pixels, cleared, with its size. */
function begin(canvas) {
  const scale = window.devicePixelRatio || 1;
  const { width, height } = canvas.getBoundingClientRect();
  if (canvas.width !== Math.round(width * scale) || canvas.height !== Math.round(height * scale)) {
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
  }
  const paint = canvas.getContext("2d");
  paint.setTransform(scale, 0, 0, scale, 0, 0);
  paint.clearRect(0, 0, width, height);
  paint.font = "11px ui-sans-serif, system-ui, sans-serif";
  return { paint, width, height };
}

function band(paint, low, high, width, middle, size, fill) {
  const x = (n) => ((n + 0.5) / low.length) * width;
  paint.beginPath();
  high.forEach((value, n) => paint.lineTo(x(n), middle - Math.max(value * size, 0.4)));
  for (let n = low.length - 1; n >= 0; n -= 1) paint.lineTo(x(n), middle - Math.min(low[n] * size, -0.4));
  paint.closePath();
  paint.fillStyle = fill;
  paint.fill();
}

/** @param seen what the server says of the recording, or null; @param at the position, @param region the loop, in seconds */
export function drawWave(canvas, seen, at, region) {
  const { paint, width, height } = begin(canvas);
  if (!seen) return;
  const middle = height / 2;
  const peak = Math.max(...[seen.before, seen.after].flatMap((one) => [Math.max(...one.high), -Math.min(...one.low)]), 0.05);
  const size = (middle - 8) / peak;
  const x = (seconds) => (seconds / seen.seconds) * width;
  if (region) {
    paint.fillStyle = colour("chosen");
    paint.fillRect(x(region[0]), 0, Math.max(x(region[1]) - x(region[0]), 1), height);
    paint.fillStyle = colour("wet");
    for (const edge of region) paint.fillRect(x(edge) - 0.75, 0, 1.5, height);
  }
  band(paint, seen.after.low, seen.after.high, width, middle, size, colour("wet-soft"));
  band(paint, seen.before.low, seen.before.high, width, middle, size, colour("dry"));
  paint.fillStyle = colour("faint");
  const step = [0.5, 1, 2, 5, 10, 20, 30, 60].find((one) => (one / seen.seconds) * width > 56) ?? 60;
  for (let second = step; second < seen.seconds - step / 3; second += step) {
    paint.fillRect(x(second), height - 5, 1, 5);
    paint.fillText(`${second} s`, x(second) + 4, height - 3);
  }
  paint.fillStyle = colour("ink");
  paint.fillRect(x(Math.min(at, seen.seconds)) - 0.75, 0, 1.5, height);
}

const LEFT = 34, BOTTOM = 20, TOP = 8, RIGHT = 10;

function frame(canvas, levels, xs) {
  const { paint, width, height } = begin(canvas);
  const y = (db) => TOP + ((levels[0] - db) / (levels[0] - levels[1])) * (height - TOP - BOTTOM);
  const x = (share) => LEFT + share * (width - LEFT - RIGHT);
  const ticks = levels[2];
  for (let db = Math.floor(levels[0] / ticks) * ticks; db >= levels[1]; db -= ticks) {
    paint.fillStyle = colour("grid");
    paint.fillRect(LEFT, y(db), width - LEFT - RIGHT, 1);
    paint.fillStyle = colour("faint");
    paint.textAlign = "right";
    paint.fillText(String(db).replace("-", "−"), LEFT - 6, y(db) + 4);
  }
  paint.textAlign = "center";
  for (const [share, text] of xs) {
    paint.fillStyle = colour("grid");
    paint.fillRect(x(share), TOP, 1, height - TOP - BOTTOM);
    paint.fillStyle = colour("faint");
    paint.fillText(text, Math.min(x(share), width - 14), height - 5);
  }
  return { paint, x, y, width, height };
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
  const points = (levels) => seen.hz.map((hz, n) => [x(logShare(hz)), Math.min(y(levels[n]), height - BOTTOM)]);
  line(paint, points(seen.after.spectrum), colour("wet"), height - BOTTOM);
  line(paint, points(seen.before.spectrum), colour("dry"));
}

const roundStep = (step) => {
  const power = 10 ** Math.floor(Math.log10(step));
  return [1, 2, 5, 10].find((one) => one * power >= step * 0.999) * power;
};

export function drawDecay(canvas, decay, predelay) {
  const curves = decay ? [decay.as_it_is, decay.as_set] : [];
  const seconds = Math.max(...curves.map((one) => one.seconds.at(-1) + predelay), 0.1);
  const step = roundStep(seconds / 5);
  const ticks = [];
  for (let at = 0; at <= seconds * 1.0001; at += step) ticks.push([at / seconds, `${Number(at.toPrecision(3))}${at ? "" : " s"}`]);
  const { paint, x, y, height } = frame(canvas, [0, -70, 20], ticks);
  if (!decay) return;
  const points = (curve, late) => [
    ...(late ? [[x(late / seconds), height - BOTTOM]] : []),
    ...curve.seconds.map((at, n) => [x((at + late) / seconds), Math.min(y(curve.level[n]), height - BOTTOM)]),
  ];
  line(paint, points(curves[1], predelay), colour("wet"), height - BOTTOM);
  line(paint, points(curves[0], 0), colour("dry"));
}

/** The decay of a room as a small SVG path, for its card. */
export function sparkline(curve, longest) {
  const points = curve.seconds.map((at, n) => `${((at / longest) * 100).toFixed(2)},${((-curve.level[n] / 70) * 34 + 2).toFixed(2)}`);
  return `M0,36 L${points.join(" L")} L${((curve.seconds.at(-1) / longest) * 100).toFixed(2)},36 Z`;
}
