import { addCanvas, drawFramedCloud, prepareCanvas, stampDot } from "../canvas.mjs";
import { defineLab } from "../core.mjs";

// Draws five encoders side by side: each one's cloud along its two widest axes, its spectrum on a logarithmic scale, and
// below them how well the state can be read from each, and the prediction error, over the steps.

const ENCODERS = [
  ["none", "nothing"],
  ["ema_stop_gradient", "EMA + stop-gradient"],
  ["variance_only", "variance only"],
  ["vicreg", "VICReg"],
  ["sigreg", "SIGReg"],
];
const PLUGS = { ema_stop_gradient: ["ema", "stop_gradient"], variance_only: ["variance"], vicreg: ["vicreg"], sigreg: ["sigreg"] };
const REACH = 6; // what a cloud's picture shows, in units of the target's standard deviation
const NARROW = 560; // below this width each encoder is a row, not a column
const FLOOR = -8; // powers of ten that the spectrum shows, from here
const TOP = 1; // to here
const COLLAPSED = 0.1; // standard deviation below which a cloud is called collapsed
const CURVES = 190;
const POINTS = 150;
const DASHES = [[], [7, 3], [2, 3], [9, 3, 2, 3], [14, 4]];

function arenaView(stage) {
  const canvas = addCanvas(stage);

  function draw(frame) {
    if (!frame.feeds?.cloud) return;
    const narrow = stage.clientWidth < NARROW;
    const cell = narrow ? 104 : Math.min(200, stage.clientWidth / ENCODERS.length);
    const above = narrow ? ENCODERS.length * (cell + 26) : cell + 122;
    const pen = prepareCanvas(canvas, stage, { aspect: 0, extra: above + (narrow ? 2 * CURVES : CURVES) });
    const told = ENCODERS.map(([name, label], place) => tell(frame, name, label, place));
    told.forEach((encoder, place) => drawEncoder(pen, encoder, placeOf(place, pen.width, cell, narrow)));
    const half = narrow ? pen.width : pen.width / 2;
    const probe = { left: 0, top: above, width: half, height: CURVES };
    const error = narrow ? { ...probe, top: above + CURVES } : { ...probe, left: half };
    drawCurves(pen, frame.history, probe, { title: "probe R²: what is known of the state", quantity: "probe_r2", low: 0, high: 1, ticks: [0, 0.5, 1] });
    drawCurves(pen, frame.history, error, { title: "prediction error", quantity: "prediction", low: -7, high: 1, ticks: [-6, -3, 0], logarithmic: true });
    canvas.setAttribute("aria-label", altWords(told, frame.step));
  }
  return { draw };
}

/** Where an encoder is drawn: its cloud's corner and side, and its spectrum's corner, width and height. */
function placeOf(place, width, cell, narrow) {
  if (narrow) {
    const top = place * (cell + 26);
    return { words: { left: 0, top }, cloud: { left: 0, top: top + 18, side: cell }, spectrum: { left: cell + 34, top: top + 22, width: width - cell - 38, height: cell - 18 } };
  }
  const left = (place * width) / ENCODERS.length;
  const side = Math.min(cell, width / ENCODERS.length) - 10;
  return { words: { left, top: 0 }, cloud: { left, top: 34, side }, spectrum: { left: left + 26, top: side + 58, width: side - 26, height: 54 } };
}

function tell({ feeds, readings, shown, live, values }, name, label, place) {
  const { cloud, spectrum, left_out: leftOut } = feeds;
  const size = cloud.dims[1] * 2;
  const dim = spectrum.dims[1];
  const set = live ? values : (shown ?? values);
  const std = readings[`${name}_std`];
  const rank = readings[`${name}_effective_rank`];
  return {
    label,
    points: cloud.data.subarray(place * size, (place + 1) * size),
    spectrum: spectrum.data.subarray(place * dim, (place + 1) * dim),
    shownShare: 1 - leftOut.data[place],
    pulled: (PLUGS[name] ?? []).filter((plug) => !set[plug]).length,
    collapsed: std < COLLAPSED,
    verdict: std < COLLAPSED ? "collapsed" : rank < 0.375 * dim && dim > 2 ? `uses ${rank.toFixed(1)} of ${dim}` : "spread out",
    std,
    rank,
    probe: readings[`${name}_probe_r2`],
  };
}

function altWords(told, step) {
  const said = told.map(({ label, verdict, std, probe }) => `${label}: ${verdict}, standard deviation ${std.toFixed(3)}, probe R² ${probe.toFixed(2)}`);
  return `Five encoders at step ${step}. ${said.join("; ")}.`;
}

function drawEncoder(pen, encoder, { words, cloud, spectrum }) {
  const { context, colours } = pen;
  const colour = encoder.collapsed ? colours.collapsed : colours.healthy;
  context.fillStyle = colours.ink;
  context.font = "600 12px system-ui, sans-serif";
  const inRow = words.top === cloud.top - 18; // on a narrow page the words stand in a row above the picture
  context.fillText(encoder.label, words.left, words.top + 12, inRow ? 200 : cloud.side + 4);
  const wide = context.measureText(encoder.label).width;
  context.font = "12px system-ui, sans-serif";
  context.fillStyle = colour;
  const said = `${encoder.collapsed ? "✗ " : ""}${encoder.verdict}${encoder.pulled ? ", unplugged" : ""}`;
  if (inRow) context.fillText(said, words.left + wide + 10, words.top + 12);
  else context.fillText(said, words.left, words.top + 27, cloud.side + 4);
  drawCloud(pen, encoder, cloud, colour);
  drawSpectrum(pen, encoder, spectrum, colour);
}

function drawCloud(pen, { points, shownShare }, { left, top, side }, colour) {
  const { context, colours } = pen;
  drawFramedCloud(pen, points, { left, top, side }, REACH, colour);
  context.fillStyle = colours.target;
  context.font = "11px system-ui, sans-serif";
  context.fillText(`${Math.round(100 * shownShare)} % of variance shown`, left + 4, top + side - 5, side - 6);
}

/** Eigenvalues, largest first, each a dot at its power of ten; the dashed line is the target's, 1. */
function drawSpectrum({ context, colours }, { spectrum }, { left, top, width, height }, colour) {
  const level = (value) => top + height - ((Math.max(FLOOR, Math.min(TOP, Math.log10(Math.max(value, 1e-30)))) - FLOOR) / (TOP - FLOOR)) * height;
  context.font = "11px system-ui, sans-serif";
  context.strokeStyle = colours.faint;
  context.lineWidth = 1;
  for (const power of [-8, -4, 0]) {
    const y = Math.round(level(10 ** power)) + 0.5;
    context.setLineDash(power === 0 ? [3, 3] : []);
    context.beginPath();
    context.moveTo(left, y);
    context.lineTo(left + width, y);
    context.stroke();
    context.fillStyle = colours.target;
    context.fillText(power === 0 ? "1" : `10${power === -4 ? "⁻⁴" : "⁻⁸"}`, left - 24, y + 4);
  }
  context.setLineDash([]);
  const gap = width / spectrum.length;
  const radius = Math.max(1.2, Math.min(3, gap / 3));
  spectrum.forEach((value, axis) => stampDot(context, left + (axis + 0.5) * gap, level(value), radius, colour));
}

function drawCurves({ context, colours }, moments, box, { title, quantity, low, high, ticks, logarithmic }) {
  const left = box.left + 34;
  const right = box.left + box.width - 128;
  const [top, bottom] = [box.top + 26, box.top + box.height - 18];
  const height = (value) => (logarithmic ? Math.log10(Math.max(value, 1e-12)) : value);
  const y = (value) => bottom - ((Math.max(low, Math.min(high, height(value))) - low) / (high - low)) * (bottom - top);
  context.font = "12px system-ui, sans-serif";
  context.fillStyle = colours.ink;
  context.fillText(title, box.left + 4, box.top + 14);
  context.lineWidth = 1;
  context.strokeStyle = colours.faint;
  for (const tick of ticks) {
    const line = bottom - ((tick - low) / (high - low)) * (bottom - top);
    context.beginPath();
    context.moveTo(left, line);
    context.lineTo(right, line);
    context.stroke();
    context.fillStyle = colours.target;
    context.fillText(logarithmic ? { "-6": "10⁻⁶", "-3": "10⁻³", 0: "1" }[tick] : String(tick), box.left + 4, line + 4);
  }
  const last = moments.at(-1);
  if (!last) return;
  const every = Math.ceil(moments.length / POINTS); // dashes cost time: a curve has no more points than can be told apart
  const drawn = moments.filter((moment, i) => i % every === 0 || moment === last);
  const since = moments[0].step;
  const x = (step) => left + ((right - left) * (step - since)) / Math.max(1, last.step - since);
  context.fillStyle = colours.target;
  context.fillText(`step ${since}`, left, bottom + 14);
  context.textAlign = "right";
  if (last.step > since) context.fillText(String(last.step), right, bottom + 14);
  context.textAlign = "left";
  const ends = ENCODERS.map(([name, label], place) => {
    const colour = last[`${name}_std`] < COLLAPSED ? colours.collapsed : colours.healthy;
    context.strokeStyle = colour;
    context.lineWidth = 1.8;
    context.setLineDash(DASHES[place]);
    context.beginPath();
    drawn.forEach((moment, i) => context[i ? "lineTo" : "moveTo"](x(moment.step), y(moment[`${name}_${quantity}`])));
    context.stroke();
    return { label, colour, wanted: y(last[`${name}_${quantity}`]), place };
  });
  context.setLineDash([]);
  for (const { label, colour, at, wanted, place } of apart(ends, 13, top, bottom)) {
    context.strokeStyle = colour;
    context.lineWidth = 1;
    context.setLineDash(DASHES[place]);
    context.beginPath();
    context.moveTo(right, wanted);
    context.lineTo(right + 12, at);
    context.stroke();
    context.setLineDash([]);
    context.fillStyle = colour;
    context.fillText(label, right + 15, at + 4, 112);
  }
}

/** Labels at their curves' ends, moved apart until none covers another. */
function apart(labels, gap, top, bottom) {
  const sorted = [...labels].sort((a, b) => a.wanted - b.wanted);
  let above = -Infinity;
  for (const label of sorted) above = label.at = Math.max(label.wanted, above + gap, top);
  let below = bottom + gap;
  for (const label of sorted.reverse()) below = label.at = Math.min(label.at, below - gap);
  return sorted;
}

export default defineLab({ create: arenaView });
