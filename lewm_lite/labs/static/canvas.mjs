// What views share when they draw: a sharp canvas in the theme's colours, and a dot painted once and stamped often.
// Strung together with the others into one module for a widget (labs/scripts.py): top-level names are unique.

/** A canvas on the stage, which a screen reader meets as one picture: each draw gives it its words (`aria-label`). */
export function addCanvas(stage) {
  const canvas = document.createElement("canvas");
  canvas.setAttribute("role", "img");
  stage.append(canvas);
  return canvas;
}

/**
 * An empty canvas as wide as the stage, in CSS pixels, and the theme's colours by meaning.
 * Its height is `aspect` times the width, `tallest` at most, and `extra` pixels more.
 */
export function prepareCanvas(canvas, stage, { aspect = 0.6, tallest = 420, extra = 0 } = {}) {
  const width = Math.max(260, stage.clientWidth);
  const height = Math.round(Math.min(tallest, width * aspect) + extra);
  const ratio = globalThis.devicePixelRatio || 1;
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
  }
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  context.font = "12px system-ui, sans-serif";
  const style = getComputedStyle(stage);
  const names = ["ink", "paper", "faint", "healthy", "collapsed", "target", "prediction", "goal", "edge"];
  const colours = Object.fromEntries(names.map((name) => [name, style.getPropertyValue(`--lewm-${name}`).trim()]));
  return { context, width, height, colours };
}

/** One dot, painted once and stamped for every point: filling a circle each time would take the engine's own time. */
const paintedDots = new Map();
export function stampDot(context, x, y, radius, colour) {
  const key = `${colour} ${radius}`;
  if (!paintedDots.has(key)) {
    const sharp = 4;
    const dot = document.createElement("canvas");
    dot.width = dot.height = Math.round((2 * radius + 2) * sharp);
    const pen = dot.getContext("2d");
    pen.fillStyle = colour;
    pen.beginPath();
    pen.arc(dot.width / 2, dot.height / 2, radius * sharp, 0, 2 * Math.PI);
    pen.fill();
    paintedDots.set(key, dot);
  }
  context.drawImage(paintedDots.get(key), x - radius - 1, y - radius - 1, 2 * radius + 2, 2 * radius + 2);
}

/** The standard Gaussian's one- and two-sigma circles, dashed, about x, y; `scale` is one sigma in pixels. */
export function drawTarget(context, x, y, scale, colour, { named = false } = {}) {
  context.strokeStyle = context.fillStyle = colour;
  context.lineWidth = 1;
  context.setLineDash([4, 4]);
  for (const sigma of [1, 2]) {
    context.beginPath();
    context.arc(x, y, sigma * scale, 0, 2 * Math.PI);
    context.stroke();
    const corner = sigma * 0.71 * scale;
    if (named) context.fillText(`${sigma}σ`, x + corner + 3, y + corner + 11);
  }
  context.setLineDash([]);
}

/** A small cloud in a frame with its target: `points` are x, y in turn, and the frame shows `reach` sigmas each way. */
export function drawFramedCloud(pen, points, { left, top, side }, reach, colour) {
  inFrame(pen, { left, top, width: side, height: side }, reach, (context, x, y, scale) => {
    context.globalAlpha = 0.75;
    for (let i = 0; i < points.length; i += 2) stampDot(context, x + points[i] * scale, y - points[i + 1] * scale, 1.8, colour);
  });
}

/** A frame that shows `reach` sigmas each way, with the target in it: `paint` gets its middle and its scale. */
export function inFrame({ context, colours }, { left, top, width, height }, reach, paint) {
  const scale = Math.min(width, height) / 2 / reach;
  const [x, y] = [left + width / 2, top + height / 2];
  context.save();
  context.beginPath();
  context.rect(left, top, width, height);
  context.clip();
  drawTarget(context, x, y, scale, colours.target);
  paint(context, x, y, scale);
  context.restore();
  context.strokeStyle = colours.faint;
  context.lineWidth = 1;
  context.strokeRect(left + 0.5, top + 0.5, width - 1, height - 1);
}

/**
 * The histogram of a cloud's shadow along a direction, under the bell curve of N(0, 1), standing on the floor of `box`:
 * left, base, width, and the height of `density`, over `reach` standard deviations to either side.
 */
export function drawShadow({ context, colours }, points, direction, colour, { left, base, width, height, reach, density, bins = 40 }) {
  const x = (value) => left + ((value + reach) / (2 * reach)) * width;
  const tall = (value) => Math.min(1.05, value / density) * height;
  context.fillStyle = colour;
  context.globalAlpha = 0.5;
  const bar = width / bins;
  shadowHistogram(points, direction, reach, bins).forEach((value, bin) => context.fillRect(left + bin * bar, base - tall(value), bar - 0.5, tall(value)));
  context.globalAlpha = 1;
  context.strokeStyle = context.fillStyle = colours.target;
  context.lineWidth = 1.6;
  context.beginPath();
  for (let i = 0; i <= 60; i++) {
    const value = -reach + (2 * reach * i) / 60;
    context.lineTo(x(value), base - (Math.exp((-value * value) / 2) / Math.sqrt(2 * Math.PI) / density) * height);
  }
  context.stroke();
  for (const tick of [-2, 0, 2]) context.fillText(String(tick), x(tick) - (tick < 0 ? 7 : 3), base + 13);
}

/** Densities of the projections on a direction, in bins from -reach to reach; what lies beyond is in the last ones. */
function shadowHistogram({ data, dims }, direction, reach, bins) {
  const [count, dim] = dims;
  const counts = new Float32Array(bins);
  for (let i = 0; i < count; i++) {
    let place = 0;
    for (let j = 0; j < dim; j++) place += data[i * dim + j] * direction[j];
    const bin = Math.floor(((place + reach) / (2 * reach)) * bins);
    counts[Math.min(bins - 1, Math.max(0, bin))] += 1;
  }
  return counts.map((number) => ((number / count) * bins) / (2 * reach));
}

/**
 * A square canvas that shows `reach` to either side, brushed over by the reader: `hand(x, y, dx, dy)` is told of a drag in
 * the picture's units. Returns a function that says where the pointer is, or null; `redraw` is called when it moves.
 */
export function brushWithHand(canvas, reach, hand, redraw) {
  let pointer = null;
  let held = null; // where it was when it last told of a drag
  let finger = null; // which pointer drags: a second one would hurl the points from one to the other
  const placeOf = ({ clientX, clientY }) => {
    const { left, top, width, height } = canvas.getBoundingClientRect();
    const scale = Math.min(width, height) / 2 / reach;
    return [(clientX - left - width / 2) / scale, (top + height / 2 - clientY) / scale];
  };
  canvas.classList.add("lewm-hand");
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || held) return;
    canvas.setPointerCapture(event.pointerId);
    finger = event.pointerId;
    held = placeOf(event);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (held && event.pointerId !== finger) return;
    pointer = placeOf(event);
    if (held) {
      hand(...held, pointer[0] - held[0], pointer[1] - held[1]);
      held = pointer;
    }
    redraw();
  });
  for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, ({ pointerId }) => pointerId === finger && (held = null));
  canvas.addEventListener("pointerleave", ({ pointerId }) => {
    if (held && pointerId !== finger) return;
    pointer = null;
    redraw();
  });
  return () => pointer;
}

/** The circle in which a brush moves the points, about where the pointer is. */
export function drawBrush({ context, width, height, colours }, pointer, scale, radius) {
  if (!pointer) return;
  context.strokeStyle = colours.edge;
  context.beginPath();
  context.arc(width / 2 + pointer[0] * scale, height / 2 - pointer[1] * scale, radius * scale, 0, 2 * Math.PI);
  context.stroke();
}

/** A slider that turns a view in space, by keyboard or by dragging the canvas; `angle()` is in radians, `show` hides it. */
export function addTurn(stage, canvas, redraw) {
  const turn = document.createElement("label");
  turn.className = "lewm-turn";
  turn.innerHTML = 'turn <input type="range" name="turn" min="0" max="360" step="1" value="30" aria-label="turn the view, in degrees">';
  stage.append(turn);
  const knob = turn.querySelector("input");
  knob.addEventListener("input", redraw);
  canvas.addEventListener("pointermove", (event) => {
    if (!event.buttons || turn.hidden) return;
    knob.value = (((Number(knob.value) + event.movementX) % 360) + 360) % 360;
    redraw();
  });
  return { show: (on) => (turn.hidden = !on), angle: () => (Number(knob.value) * Math.PI) / 180 };
}

/** The first two coordinates of every point; in three dimensions as `flatten` has it. */
export function onScreen({ data, dims }, dim, angle) {
  const count = dims[0];
  const seen = new Float32Array(count * 2);
  for (let i = 0; i < count; i++) seen.set(flatten(data.subarray(i * dim, (i + 1) * dim), dim, angle), i * 2);
  return seen;
}

/** One place on the screen; in three dimensions after a turn about the vertical axis, seen a little from above. */
export function flatten(place, dim, angle) {
  if (dim === 2) return [place[0], place[1]];
  const [x, y, z] = place;
  const across = x * Math.cos(angle) + z * Math.sin(angle);
  const away = -x * Math.sin(angle) + z * Math.cos(angle);
  return [across, y * 0.94 + away * 0.34];
}

/** A judge's row: a mark and words, who it is to the right, its score on a bar with the level it accepts, numbers. */
export function verdictRow(parent) {
  const row = document.createElement("div");
  row.className = "lewm-judge";
  row.innerHTML = '<b></b><span></span><i aria-hidden="true"><u></u></i><small></small>';
  const [verdict, aside, bar, numbers] = row.children;
  parent.append(row);
  const [finest, coarsest] = [0.1, 300]; // the bar goes from a tenth of the level to three hundred times it
  const place = (ratio) => Math.min(1, Math.max(0, Math.log(ratio / finest) / Math.log(coarsest / finest)));
  bar.style.setProperty("--level", `${100 * place(1)}%`);
  return {
    show({ content, words, beside = "", score, level, asks }) {
      row.dataset.content = content;
      verdict.textContent = `${content ? "✓" : "✗"} ${words}`;
      aside.textContent = beside;
      bar.style.setProperty("--score", `${100 * place(score / level)}%`);
      numbers.textContent = `${asks} ${briefScore(score)}, content up to ${briefScore(level)}`;
    },
  };
}

const briefScore = (value) => (value >= 100 ? value.toFixed(0) : value >= 1 ? value.toFixed(1) : value.toFixed(3));
