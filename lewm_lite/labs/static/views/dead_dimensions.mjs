import { addCanvas, prepareCanvas, stampDot } from "../canvas.mjs";
import { defineLab } from "../core.mjs";

// Draws the variance of each coordinate of the last cloud, the scores of all repeats on one axis, without dead
// dimensions and with, and the power over the repeats.

const NARROW = 560; // below this width the two panels stand one above the other
const BINS = 54; // places for a dot along the axis of scores
const FEW = 20; // repeats, before which the line has too little to stand on
const HISTORY = 54; // the height of the strip that shows the power over the repeats

function deadDimensionsView(stage) {
  const canvas = addCanvas(stage);

  function draw(frame) {
    if (!frame.state.null_scores) return;
    const narrow = stage.clientWidth < NARROW;
    const pen = prepareCanvas(canvas, stage, narrow ? { aspect: 0, extra: 470 } : { aspect: 0.52, tallest: 370 });
    const { width, height } = pen;
    const told = tell(frame);
    const across = narrow ? width : width * 0.36;
    drawSpectrum(pen, told, { left: 0, top: 0, width: across, height: narrow ? 150 : height - 4 });
    const box = narrow ? { left: 0, top: 168, width } : { left: across + 26, top: 0, width: width - across - 26 };
    drawScores(pen, told, { ...box, height: height - HISTORY - box.top });
    drawPower(pen, told, frame.history, { ...box, top: height - HISTORY, height: HISTORY });
    canvas.setAttribute("aria-label", altWords(told));
  }
  return { draw };
}

/** What the picture says: who is live and who dead, how many repeats there are, and in how many they were seen. */
function tell({ state, readings, values }) {
  const variances = [...state.variances.data].filter((variance) => variance >= 0);
  const live = variances.filter((variance) => variance > 0).length;
  const drawn = Math.round(state.repeats.data[0]);
  const kept = Math.min(drawn, state.null_scores.data.length);
  const dead = variances.length - live;
  return {
    variances,
    live,
    dead,
    asked: Math.max(dead, values.dead),
    kept,
    of: `${kept < drawn ? "the last " : ""}${kept} ${kept === 1 ? "repeat" : "repeats"}`,
    newest: (drawn - 1) % state.null_scores.data.length,
    healthy: state.null_scores.data.subarray(0, kept),
    scores: state.dead_scores.data.subarray(0, kept),
    seen: Math.round(readings.power * kept),
    share: percent(readings.power),
    verdict: kept < FEW ? ": too few to say" : ` (${percent(readings.power)})`,
    false_alarms: values.false_alarms,
    ...readings,
  };
}

const percent = (share) => `${Math.round(100 * share)} %`;

function altWords(told) {
  const { live, dead, asked, variances, seen, of, sigreg, null_sigreg: healthy } = told;
  const line = `the line that ${100 - told.false_alarms} % of the healthy scores lie below`;
  return (
    `${dead} of ${variances.length} dimensions are dead${asked > dead ? ` (${asked} asked for)` : ""}, ${live} live. ` +
    `SIGReg is ${sigreg.toFixed(2)} on average, ${healthy.toFixed(2)} for healthy clouds. ` +
    `The dead dimensions are seen, above ${line}, in ${seen} of ${of}${told.verdict}.`
  );
}

// ------------------------------------------------ left: the variance of each coordinate

function drawSpectrum({ context, colours }, told, box) {
  const { variances, live, dead, asked } = told;
  const floor = box.top + box.height - 24;
  const ceiling = box.top + 26;
  const most = 1.12 * Math.max(1.5, ...variances);
  const y = (variance) => floor - (variance / most) * (floor - ceiling);
  const left = box.left + 20;
  const bar = (box.width - 20) / variances.length;
  context.fillStyle = colours.ink;
  context.fillText("variance of each coordinate", box.left, box.top + 12);
  context.fillStyle = colours.healthy;
  const gap = bar > 3 ? 1 : 0;
  for (let i = 0; i < live; i++) context.fillRect(left + i * bar, y(variances[i]), bar - gap, floor - y(variances[i]));
  drawDead(context, colours.collapsed, left + live * bar, dead * bar, floor, floor - y(1));
  context.strokeStyle = colours.target;
  context.lineWidth = 1;
  rule(context, [left, y(1)], [box.left + box.width, y(1)], [4, 4]);
  context.strokeStyle = colours.edge;
  rule(context, [left, floor + 0.5], [box.left + box.width, floor + 0.5]);
  context.fillStyle = colours.target;
  context.textAlign = "right";
  if (floor - y(1) > 11) context.fillText("1", left - 5, y(1) + 4);
  context.fillText("0", left - 5, floor + 4);
  if (most > 8) context.fillText(String(Math.floor(most / 1.12)), left - 5, y(Math.floor(most / 1.12)) + 4);
  context.textAlign = "left";
  context.font = "bold 12px system-ui, sans-serif";
  context.fillStyle = colours.healthy;
  context.fillText(`${live} live`, left, floor + 18);
  context.fillStyle = colours.collapsed;
  context.textAlign = "right";
  context.fillText(asked > dead ? `all ${dead} dead (${asked} asked for)` : `${dead} dead`, box.left + box.width, floor + 18);
  context.textAlign = "left";
  context.font = "12px system-ui, sans-serif";
}

/** A dead coordinate has no height to draw: an outlined hole where its bar would stand, crossed along the floor. */
function drawDead(context, colour, left, width, floor, high) {
  if (!width) return;
  context.strokeStyle = colour;
  context.lineWidth = 1;
  context.save();
  context.globalAlpha = 0.12;
  context.fillStyle = colour;
  context.fillRect(left, floor - high, width, high);
  context.restore();
  const count = Math.max(1, Math.min(Math.round(width / 8), 40));
  context.lineWidth = 1.6;
  for (let i = 0; i < count; i++) {
    const middle = left + ((i + 0.5) * width) / count;
    rule(context, [middle - 2.5, floor - 7.5], [middle + 2.5, floor - 2.5]);
    rule(context, [middle - 2.5, floor - 2.5], [middle + 2.5, floor - 7.5]);
  }
}

function rule(context, from, to, dashes = []) {
  context.setLineDash(dashes);
  context.beginPath();
  context.moveTo(...from);
  context.lineTo(...to);
  context.stroke();
  context.setLineDash([]);
}

// ------------------------------------------------ right: the scores

function drawScores(pen, told, box) {
  const { context, colours } = pen;
  const { healthy, scores, newest, line, dead, variances } = told;
  const axis = logAxis([...healthy, ...scores, line], box);
  const base = box.top + box.height - 34;
  const rows = (base - box.top - 44) / 2;
  context.fillStyle = colours.ink;
  context.font = "bold 14px system-ui, sans-serif";
  context.fillText(`Seen in ${told.seen} of ${told.of}${told.verdict}`, box.left, box.top + 13);
  context.font = "12px system-ui, sans-serif";

  const row = { wide: box.width / BINS, room: rows - 22, line, newest };
  drawRow(pen, healthy, axis, { ...row, base: base - rows, colour: colours.healthy });
  drawRow(pen, scores, axis, { ...row, base, colour: colours.collapsed });
  const at = axis.x(line);
  context.strokeStyle = colours.ink;
  context.lineWidth = 1.2;
  rule(context, [at, box.top + 34], [at, base], [5, 3]);
  label(pen, "healthy clouds", box.left, base - 2 * rows + 12, colours.healthy);
  label(pen, `${dead} of ${variances.length} dead`, box.left, base - rows + 14, colours.collapsed);
  context.fillStyle = colours.ink;
  const named = `${100 - told.false_alarms} % of healthy scores lie below ${line.toFixed(2)}`;
  const half = context.measureText(named).width / 2;
  context.fillText(named, Math.max(box.left, Math.min(box.left + box.width - 2 * half, at - half)), box.top + 30);
  drawAxis(pen, axis, box, base);
}

/** Words that stay readable where a line runs behind them. */
function label({ context, colours }, words, x, y, colour) {
  context.strokeStyle = colours.paper;
  context.lineWidth = 4;
  context.lineJoin = "round";
  context.strokeText(words, x, y);
  context.fillStyle = colour;
  context.fillText(words, x, y);
}

/** Where scores stand: logarithms, between ends that move in small leaps so that the axis does not tremble. */
function logAxis(values, box) {
  const logs = values.map((value) => Math.log10(Math.max(1e-4, value)));
  const leap = 0.05;
  const low = Math.floor(Math.min(...logs) / leap - 0.5) * leap;
  const high = Math.max(low + 0.3, Math.ceil(Math.max(...logs) / leap + 0.5) * leap);
  const share = (value) => (Math.log10(Math.max(1e-4, value)) - low) / (high - low);
  return { low: 10 ** low, high: 10 ** high, share, x: (value) => box.left + share(value) * box.width };
}

const binOf = (axis, score) => Math.min(BINS - 1, Math.floor(axis.share(score) * BINS));

/** Scores as piles of dots, closer in height where a pile would not fit: full above the line, open below it. */
function drawRow({ context, colours }, scores, axis, { base, wide, room, line, colour, newest }) {
  const bins = Array.from(scores, (score) => binOf(axis, score));
  const counts = new Array(BINS).fill(0);
  for (const bin of bins) counts[bin] += 1;
  const high = Math.min(wide, room / Math.max(...counts));
  counts.fill(0);
  const radius = Math.max(1.6, Math.min(wide * 0.42, 4.2));
  const left = axis.x(axis.low);
  context.strokeStyle = colours.faint;
  context.lineWidth = 1;
  rule(context, [left, base + 0.5], [axis.x(axis.high), base + 0.5]);
  scores.forEach((score, i) => {
    const x = left + (bins[i] + 0.5) * wide;
    const y = base - (counts[bins[i]]++ + 0.5) * high - 1;
    stampDot(context, x, y, radius, colour);
    if (score <= line) stampDot(context, x, y, radius - 1.1, colours.paper);
    if (i !== newest) return;
    context.strokeStyle = colours.ink;
    context.lineWidth = 1.5;
    context.beginPath();
    context.arc(x, y, radius + 1.5, 0, 2 * Math.PI);
    context.stroke();
  });
}

function drawAxis({ context, colours }, axis, box, base) {
  context.fillStyle = colours.target;
  context.strokeStyle = colours.edge;
  context.lineWidth = 1;
  context.textAlign = "center";
  let free = box.left + 8;
  for (const tick of ticksOf(axis)) {
    const words = String(Number(tick.toPrecision(3)));
    const half = context.measureText(words).width / 2;
    const x = axis.x(tick);
    if (x - half < free || x + half > box.left + box.width) continue;
    rule(context, [x, base], [x, base + 4]);
    context.fillText(words, x, base + 16);
    free = x + half + 10;
  }
  context.textAlign = "right";
  context.fillText("SIGReg of one repeat (log axis); ringed: the last", box.left + box.width, base + 30);
  context.textAlign = "left";
}

/** Round numbers between the ends: tenths and the like on a short axis, 1, 2, 3, 5, 10, … on a long one. */
function ticksOf({ low, high }) {
  const ticks = [];
  if (high / low > 6) {
    for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power++) {
      ticks.push(...[1, 2, 3, 5].map((digit) => digit * 10 ** power));
    }
  } else {
    const step = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100].find((size) => (high - low) / size < 9) ?? 200;
    for (let k = Math.ceil(low / step); k * step <= high; k++) ticks.push(k * step);
  }
  return ticks.filter((tick) => tick >= low && tick <= high);
}

// ------------------------------------------------ below: power over the repeats

function drawPower({ context, colours }, told, moments, box) {
  const left = box.left + 42;
  const words = `power ${told.share}`;
  const right = box.left + box.width - context.measureText(words).width - 8;
  const y = (share) => box.top + box.height - 8 - share * (box.height - 22);
  context.strokeStyle = colours.faint;
  context.lineWidth = 1;
  for (const share of [0, 1]) rule(context, [left, y(share)], [right, y(share)]);
  context.strokeStyle = colours.target;
  rule(context, [left, y(told.false_alarms / 100)], [right, y(told.false_alarms / 100)], [3, 3]);
  context.fillStyle = colours.target;
  context.textAlign = "right";
  context.fillText("100 %", left - 4, y(1) + 4);
  context.fillText("0 %", left - 4, y(0) + 4);
  context.textAlign = "left";
  context.strokeStyle = colours.collapsed;
  context.lineWidth = 2;
  context.beginPath();
  const last = moments.at(-1).step;
  moments.forEach(({ power, step }, i) => {
    const x = left + ((right - left) * (step - moments[0].step)) / Math.max(1, last - moments[0].step);
    if (i) context.lineTo(x, y(power));
    else context.moveTo(x, y(power));
  });
  context.stroke();
  if (moments.length < 2) stampDot(context, right, y(told.power), 3, colours.collapsed);
  context.fillStyle = colours.ink;
  context.fillText(words, right + 5, Math.max(box.top + 12, Math.min(box.top + box.height - 6, y(told.power) + 4)));
}

export default defineLab({ create: deadDimensionsView });
