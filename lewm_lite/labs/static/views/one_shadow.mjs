import { addCanvas, drawShadow, drawTarget, prepareCanvas, stampDot } from "../canvas.mjs";
import { defineLab } from "../core.mjs";

// Draws the cloud with a line to turn through it, its shadow under the bell curve, the samples as arrows on a circle, the
// mean arrow at every t with a handle, and the statistic at every angle.

const REACH = 3.2; // what the cloud's axes show, in standard deviations of the target
const DROPPED = 40; // points from which a line is dropped to the shadow's
const T_MAX = 3;
const NARROW = 560; // below this width one column stands above the other, as the style sheet has it
const THINNED = 60; // arrows that are drawn

function oneShadowView(stage, manifest, hand, set) {
  stage.classList.add("lewm-shadowed");
  const [left, right] = [0, 1].map(() => document.createElement("div"));
  stage.append(left, right);
  const [cloud, around] = [addCanvas(left), addCanvas(left)];
  const [shadow, curve] = [addCanvas(right), addCanvas(right)];
  cloud.classList.add("lewm-hand");
  for (const canvas of [around, curve]) canvas.classList.add("lewm-slide");

  // Both hands move a control, so that what they do stands in the sliders and in the address as well.
  onDrag(cloud, (x, y, { width, height }) => {
    const degrees = (Math.atan2(height / 2 - y, x - width / 2) * 180) / Math.PI;
    hold(Math.round(degrees + 360) % 360);
  });
  onDrag(around, (x, y, { width }) => hold(Math.round(Math.min(1, Math.max(0, (x - AXIS) / (width - AXIS - EDGE))) * 180)));
  onDrag(curve, (x, y, { width }) => set("t", Math.min(1, Math.max(0, (x - AXIS) / (width - AXIS - EDGE))) * T_MAX));
  let standing = null; // where the line on the screen stands, in degrees: it may have turned away from its slider
  function hold(degrees) {
    set("sweep", false); // a direction that is held does not turn by itself
    set("angle", degrees, degrees !== standing);
  }

  let turning = false; // live, by itself
  /** A line that turned by itself and is stopped: its slider goes where it stands, and with it the address. */
  function settle({ live, state, values, shown }) {
    turning ||= live && shown.sweep;
    if (!turning || values.sweep || shown.sweep || values.angle !== shown.angle) return;
    turning = false;
    if (state.turned.data[0] !== 0) set("angle", standing);
  }

  function draw(frame) {
    const seen = { ...frame.state, ...frame.feeds };
    if (!seen.points || !seen.characteristic) return;
    const level = seen.level.data[0];
    const told = { ...seen, ...frame.readings, level, t: (frame.live ? frame.values : (frame.shown ?? frame.values)).t };
    told.normal = told.statistic <= level;
    const degrees = (Math.atan2(seen.direction.data[1], seen.direction.data[0]) * 180) / Math.PI;
    told.degrees = standing = Math.round(degrees + 360) % 360;
    drawLit(prepareCanvas(cloud, left, { aspect: 1, tallest: 420 }), told);
    drawAround(prepareCanvas(around, left, { aspect: 0, extra: stage.clientWidth < NARROW ? 118 : 204 }), told);
    const pen = prepareCanvas(shadow, right, { aspect: 0, extra: 284 });
    drawHistogram(pen, told, { top: 0, height: 118 });
    drawArrows(pen, told, { top: 126, height: 158 });
    drawCurves(prepareCanvas(curve, right, { aspect: 0, extra: 214 }), told);
    const verdict = told.normal ? "as a normal sample may" : "more than a normal sample";
    cloud.setAttribute("aria-label", `${seen.points.dims[0]} points and a line at ${told.degrees} degrees. Drag to turn it, or move the slider of the direction.`);
    around.setAttribute("aria-label", `The statistic at every angle of half a turn, from ${brief(Math.min(...seen.around_statistics.data))} to ${brief(Math.max(...seen.around_statistics.data))}; 95 of 100 normal samples score below ${brief(level)}.`);
    shadow.setAttribute("aria-label", `The shadow's histogram under the bell curve: mean ${told.mean.toFixed(2)}, standard deviation ${told.std.toFixed(2)}; it scores ${brief(told.statistic)}, ${verdict}. Below, ${THINNED} of its samples as arrows on a circle at t = ${told.t.toFixed(2)}, their mean ${told.gap.toFixed(3)} away from where it should be.`);
    curve.setAttribute("aria-label", `The mean arrow at every t from 0 to 3 beside that of N(0, 1), and the weighted square of the gap, whose area is ${brief(seen.area.data[0])}. Drag to move t.`);
    settle(frame);
  }
  return { draw };
}

const AXIS = 34; // room on the left of a curve for its numbers, and on the right for the last one
const EDGE = 8;
const tick = (value) => (value >= 10 ? value.toFixed(0) : String(Number(value.toFixed(1))));
const brief = (value) => (value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2));
const colourOf = ({ colours }, { normal }) => (normal ? colours.healthy : colours.collapsed);

/** Calls `moved` with the place of a pressed pointer on the canvas, in CSS pixels, and the canvas's box. */
function onDrag(canvas, moved) {
  const tell = (event) => {
    const box = canvas.getBoundingClientRect();
    moved(event.clientX - box.left, event.clientY - box.top, box);
  };
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    canvas.setPointerCapture(event.pointerId);
    tell(event);
  });
  canvas.addEventListener("pointermove", (event) => canvas.hasPointerCapture(event.pointerId) && tell(event));
}

function stroke(context, places, colour, width = 1, dash = []) {
  context.strokeStyle = colour;
  context.lineWidth = width;
  context.setLineDash(dash);
  context.beginPath();
  for (const [x, y] of places) context.lineTo(x, y);
  context.stroke();
  context.setLineDash([]);
}

/** Words that stay readable where a line runs behind them. */
function write({ context, colours }, words, x, y, colour, align = "left") {
  context.textAlign = align;
  context.strokeStyle = colours.paper;
  context.lineWidth = 4;
  context.lineJoin = "round";
  context.strokeText(words, x, y);
  context.fillStyle = colour;
  context.fillText(words, x, y);
  context.textAlign = "left";
}

function drawLit(pen, told) {
  const { context, width, height, colours } = pen;
  const [middle, centre] = [width / 2, height / 2];
  const scale = Math.min(width, height) / 2 / REACH;
  const [dx, dy] = told.direction.data;
  const place = (x, y) => [middle + x * scale, centre - y * scale];
  const { data } = told.points;
  const colour = colourOf(pen, told);
  drawTarget(context, middle, centre, scale, colours.target, { named: true });
  context.globalAlpha = 0.5;
  const feet = [];
  for (let i = 0; i < data.length; i += 2) {
    const along = data[i] * dx + data[i + 1] * dy;
    const foot = place(along * dx, along * dy);
    if (i < 2 * DROPPED) stroke(context, [place(data[i], data[i + 1]), foot], colours.faint);
    feet.push(foot);
  }
  context.globalAlpha = 0.75;
  for (let i = 0; i < data.length; i += 2) stampDot(context, ...place(data[i], data[i + 1]), 2, colours.edge);
  stroke(context, [place(-3 * dx, -3 * dy), place(3 * dx, 3 * dy)], colours.ink, 1.5);
  for (const foot of feet) stampDot(context, ...foot, 2.2, colour);
  context.globalAlpha = 1;
  stampDot(context, ...place(3 * dx, 3 * dy), 7, colours.ink);
  stampDot(context, ...place(-3 * dx, -3 * dy), 4, colours.ink);
  write(pen, `${told.degrees}°: drag to turn`, 4, height - 6, colours.ink);
}

function drawAround(pen, told) {
  const { context, width, height, colours } = pen;
  const values = told.around_statistics.data;
  const top = Math.max(4, ...values);
  const x = (degrees) => AXIS + (degrees / 180) * (width - AXIS - EDGE);
  const y = (value) => height - 20 - (value / top) * (height - 44);
  stroke(context, [[x(0), y(0)], [x(180), y(0)]], colours.faint);
  stroke(context, [[x(0), y(told.level)], [x(180), y(told.level)]], colours.target, 1, [4, 4]);
  const curve = [...values, values[0]].map((value, i) => [x((180 * i) / values.length), y(value)]);
  stroke(context, curve, colours.ink, 1.6);
  context.fillStyle = colours.target;
  for (const degrees of [0, 45, 90, 135, 180]) {
    context.textAlign = degrees === 180 ? "right" : "center";
    context.fillText(`${degrees}°`, x(degrees) + (degrees === 180 ? EDGE : 0), height - 5);
  }
  context.textAlign = "right";
  for (const value of [0, top]) context.fillText(tick(value), AXIS - 4, y(value) + 4);
  context.textAlign = "left";
  const [at, high] = [x(told.degrees % 180), y(Math.min(top, told.statistic))];
  stroke(context, [[at, y(0)], [at, high]], colourOf(pen, told), 1.5);
  stampDot(context, at, high, 5, colourOf(pen, told));
  write(pen, `statistic at every angle; mean ${brief(told.sigreg)}`, 0, 12, colours.ink);
  const words = `95 % of normal samples lie below ${brief(told.level)}`;
  write(pen, words, x(180), Math.max(30, y(told.level) - 5), colours.target, "right");
}

function drawHistogram(pen, told, { top, height }) {
  const { context, width, colours } = pen;
  const base = top + height - 16;
  drawShadow(pen, told.points, told.direction.data, colourOf(pen, told), { left: 0, base, width, height: height - 40, reach: REACH, density: 0.8 });
  stroke(context, [[0, base], [width, base]], colours.faint);
  context.font = "bold 13px system-ui, sans-serif";
  const verdict = told.normal ? "✓ like N(0, 1)" : "✗ unlike N(0, 1)";
  write(pen, `${verdict}: scores ${brief(told.statistic)}`, 0, top + 12, colourOf(pen, told));
  context.font = "12px system-ui, sans-serif";
}

/** The unit circle, a thin arrow for each of some samples, their mean as a thick one, and where N(0, 1) would have it. */
function drawArrows(pen, told, { top, height }) {
  const { context, width, colours } = pen;
  const radius = height / 2 - 10;
  const [middle, centre] = [radius + 8, top + height / 2];
  const place = (x, y) => [middle + x * radius, centre - y * radius];
  const colour = colourOf(pen, told);
  const data = told.arrows.data.subarray(0, 2 * THINNED);
  context.strokeStyle = colours.faint;
  context.lineWidth = 1;
  context.beginPath();
  context.arc(middle, centre, radius, 0, 2 * Math.PI);
  context.stroke();
  stroke(context, [place(-1, 0), place(1, 0)], colours.faint);
  context.globalAlpha = 0.35;
  for (let i = 0; i < data.length; i += 2) stroke(context, [place(0, 0), place(data[i], data[i + 1])], colours.edge);
  context.globalAlpha = 0.8;
  for (let i = 0; i < data.length; i += 2) stampDot(context, ...place(data[i], data[i + 1]), 2, colours.edge);
  context.globalAlpha = 1;
  const [real, imag] = told.mean_arrow.data;
  stroke(context, [place(0, 0), place(real, imag)], colour, 4);
  stampDot(context, ...place(real, imag), 5, colour);
  const wanted = told.wanted.data[0];
  context.strokeStyle = colours.ink;
  context.lineWidth = 2;
  context.beginPath();
  context.arc(...place(wanted, 0), 8, 0, 2 * Math.PI);
  context.stroke();
  const side = middle + radius + 14;
  const lines = [
    [`t = ${told.t.toFixed(2)}`, colours.ink],
    [`thin: ${THINNED} samples`, colours.target],
    ["thick: mean of all", colour],
    ["ring: N(0, 1)", colours.ink],
    [`gap ${told.gap.toFixed(3)}`, colour],
  ];
  if (width - side > 90) lines.forEach(([words, ink], i) => write(pen, words, side, centre - 38 + 20 * i, ink));
}

/** The mean arrow's two parts at every t, that of N(0, 1), and below the curve whose area is the statistic. */
function drawCurves(pen, told) {
  const { context, width, height, colours } = pen;
  const rows = told.characteristic.dims[0];
  const split = 132;
  const x = (t) => AXIS + (t / T_MAX) * (width - AXIS - EDGE);
  const y = (value) => 22 + (1 - value) * ((split - 28) / 2);
  const colour = colourOf(pen, told);
  const column = (which) => Array.from({ length: rows }, (_, i) => [x((T_MAX * i) / (rows - 1)), y(told.characteristic.data[3 * i + which])]);
  stroke(context, [[x(0), y(0)], [x(T_MAX), y(0)]], colours.faint);
  stroke(context, column(2), colours.target, 1.6, [5, 3]);
  stroke(context, column(1), colour, 1.4, [1.5, 3]);
  stroke(context, column(0), colour, 2);
  write(pen, "mean arrow: right (line), up (dots)", AXIS, 12, colour);
  write(pen, "N(0, 1)", x(0.7), y(0.88), colours.target);
  context.fillStyle = colours.target;
  for (const value of [-1, 0, 1]) write(pen, String(value), AXIS - 6, y(value) + 4, colours.target, "right");

  const base = height - 18;
  const excess = told.excess.data;
  const count = told.points.dims[0];
  const high = Math.max(1 / count, ...excess);
  const tall = (value) => base - (value / high) * (base - split - 22);
  const outline = Array.from(excess, (value, i) => [x((T_MAX * i) / (rows - 1)), tall(value)]);
  context.fillStyle = colour;
  context.globalAlpha = 0.4;
  context.beginPath();
  for (const place of [[x(0), base], ...outline, [x(T_MAX), base]]) context.lineTo(...place);
  context.fill();
  context.globalAlpha = 1;
  stroke(context, outline, colour, 1.4);
  outline.forEach((place, i) => i % 3 || stampDot(context, ...place, 2.2, colours.ink));
  write(pen, tick(high * count), AXIS - 6, tall(high) + 4, colours.target, "right");
  write(pen, `gap², weighted, × N: area ${brief(told.area.data[0])}`, AXIS, split + 12, colour);
  context.fillStyle = colours.target;
  for (const t of [0, 1, 2, 3]) write(pen, t === 3 ? "t = 3" : String(t), t === 3 ? width : x(t), height - 4, colours.target, t === 3 ? "right" : "center");
  const row = (told.t / T_MAX) * (rows - 1);
  stroke(context, [[x(told.t), 18], [x(told.t), base]], colours.ink, 1.2);
  stampDot(context, x(told.t), base, 6, colours.ink);
  stampDot(context, x(told.t), y(told.characteristic.data[3 * Math.round(row)]), 4, colour);
}

export default defineLab({ create: oneShadowView });
