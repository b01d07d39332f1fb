import { addCanvas, drawFramedCloud, prepareCanvas, stampDot } from "../canvas.mjs";
import { defineLab } from "../core.mjs";

// Draws the encoder in training, every finished run on the axis of λ by what was read of it, the bracket after each run,
// and, when asked, the machine's runs and the curve over seeds.

const NARROW = 620; // below this width the encoder stands above the axis
const REACH = 4; // what the cloud's picture shows, in units of the target's standard deviation
const PANELS = [
  { title: "probe R²", top: 1, ticks: [0, 0.5, 1], column: 1, curve: 1 },
  { title: "effective rank", top: 16, ticks: [0, 8, 16], column: 2, curve: 4 },
];
const HEIGHTS = [150, 104];
const ROW = 13; // the height of a row of the ladder
const HEAD = 52; // above the first panel: what is sought, and where the edge lies
const LEGEND = 16; // the height of its lines
const ABOVE = 130; // what the encoder takes where it stands above the axis

function bisectionView(stage, manifest) {
  const canvas = addCanvas(stage);
  const slider = manifest.controls.find(({ name }) => name === "lambda");
  const ends = [Math.log10(slider.low), Math.log10(slider.high)];
  const menu = Object.fromEntries(manifest.controls.find(({ name }) => name === "question").options);

  function draw(frame) {
    if (!frame.feeds?.set_down) return;
    const narrow = stage.clientWidth < NARROW;
    const told = tell(frame, menu);
    const runs = told.ladder.length;
    const legend = narrow ? 3 : 2; // lines
    const plots = HEAD + HEIGHTS[0] + 22 + HEIGHTS[1] + 42 + runs * ROW + legend * LEGEND + 4;
    const pen = prepareCanvas(canvas, stage, { aspect: 0, extra: plots + (narrow ? ABOVE : 0) });
    drawEncoder(pen, told, narrow ? { left: 0, top: 0, side: 116, words: 128 } : { left: 0, top: 18, side: 164, words: null });
    const left = (narrow ? 0 : 190) + 34;
    const axis = { left, right: pen.width - 8, x: (place) => left + ((place - ends[0]) / (ends[1] - ends[0])) * (pen.width - 8 - left) };
    drawPlots(pen, told, axis, narrow ? ABOVE : 0, ends);
    drawLegend(pen, told, narrow ? 0 : axis.left - 30, pen.height - legend * LEGEND + 6);
    canvas.setAttribute("aria-label", altWords(told));
  }
  return { draw };
}

/** What the picture says: the runs set down, the run in training, the bracket, the machine's runs. */
function tell({ feeds, readings, values, shown, live }, menu) {
  const set = live ? values : (shown ?? values);
  const rows = ({ data, dims }) => Array.from({ length: dims[0] }, (_, row) => [...data.subarray(row * dims[1], (row + 1) * dims[1])]);
  const [steps, place, count] = feeds.progress.data;
  const done = Math.round(count);
  const [level, column] = feeds.asked.data;
  const resting = feeds.resting.data[0] > 0.5;
  return {
    runs: rows(feeds.set_down).slice(0, done).map((run, i) => ({ run, accepted: feeds.accepted.data[i] > 0.5 })),
    total: feeds.set_down.dims[0],
    ladder: rows(feeds.ladder),
    machine: set.overlay ? rows(feeds.machine) : [],
    machineBracket: [...feeds.machine_bracket.data],
    curve: set.overlay ? rows(feeds.laid) : [],
    cloud: feeds.cloud.data,
    steps: Math.round(steps),
    now: [resting && done ? feeds.set_down.data[(done - 1) * feeds.set_down.dims[1]] : place, readings.probe_r2, readings.effective_rank],
    std: readings.std,
    bracket: [...feeds.ladder.data.slice(-2)],
    level: Number(level.toFixed(3)),
    panel: Math.round(column),
    question: menu[set.question],
    done,
    resting,
  };
}

const plain = (place) => String(Number((10 ** place).toPrecision(3)));
const bracketWords = ([low, high]) => `${plain(low)} to ${plain(high)}, a factor of ${Number((10 ** (high - low)).toPrecision(2))}`;

function altWords(told) {
  const said = told.runs.map(({ run, accepted }) => `λ ${plain(run[0])}: probe R² ${run[1].toFixed(2)}, rank ${run[2].toFixed(1)}, ${accepted ? "accepted" : "rejected"}`);
  const training = told.resting ? "" : ` In training: λ ${plain(told.now[0])}, step ${told.steps}.`;
  const machine = told.machine.length ? ` The machine's eight runs leave ${bracketWords(told.machineBracket)}.` : "";
  return (
    `Looking for ${told.question}. ${told.done} of ${told.total} runs set down${said.length ? `: ${said.join("; ")}` : ""}. ` +
    `The edge lies between λ = ${bracketWords(told.bracket)}.${machine}${training}`
  );
}

// ------------------------------------------------ the encoder in training

function drawEncoder(pen, told, { left, top, side, words }) {
  const { context, colours } = pen;
  const collapsed = told.std < 0.1;
  const colour = collapsed ? colours.collapsed : colours.healthy;
  drawFramedCloud(pen, told.cloud, { left, top, side }, REACH, colour);
  const said = [
    [`run ${told.resting ? told.done : told.done + 1} of ${told.total}: λ = ${plain(told.now[0])}`, colours.ink, "600 "],
    [told.resting ? "done, and set down" : `step ${told.steps}`, colours.target, ""],
    [`${collapsed ? "✗ collapsed" : "✓ alive"}: std ${told.std.toFixed(3)}`, colour, ""],
  ];
  const at = words === null ? { x: left, y: top + side + 16 } : { x: words, y: top + 16 };
  said.forEach(([text, ink, weight], line) => {
    context.font = `${weight}12px system-ui, sans-serif`;
    context.fillStyle = ink;
    context.fillText(text, at.x, at.y + line * 16);
  });
  context.font = "11px system-ui, sans-serif";
  context.fillStyle = colours.target;
  const below = ["its cloud, along", "the two widest axes"];
  below.forEach((text, line) => context.fillText(text, at.x, at.y + 56 + line * 14));
  context.font = "12px system-ui, sans-serif";
}

// ------------------------------------------------ the runs on the axis of λ

function drawPlots(pen, told, axis, top, ends) {
  const { context, colours } = pen;
  let below = top + HEAD;
  const boxes = HEIGHTS.map((height) => {
    const box = { top: below, bottom: below + height };
    below += height + 22;
    return box;
  });
  const foot = boxes.at(-1).bottom;
  shadeBracket(pen, told, axis, boxes[0].top - 4, foot + 42 + told.ladder.length * ROW - 12);
  context.fillStyle = colours.ink;
  context.font = "600 12px system-ui, sans-serif";
  context.fillText(`Sought: ${told.question}`, axis.left - 30, top + 12, axis.right - axis.left + 30);
  context.font = "12px system-ui, sans-serif";
  context.fillStyle = colours.goal;
  const edge = told.runs.some(({ accepted }) => accepted) ? `edge between λ = ${bracketWords(told.bracket)}` : "no run has been accepted yet: the edge may lie anywhere";
  context.fillText(edge, axis.left - 30, top + 28, axis.right - axis.left + 30);
  PANELS.forEach((panel, place) => drawPanel(pen, told, axis, boxes[place], panel, place === told.panel));
  context.fillStyle = colours.target;
  for (let power = ends[0]; power <= ends[1] + 1e-9; power++) {
    context.fillRect(axis.x(power), foot, 1, 4);
    if (axis.x(ends[0] + 1) - axis.left < 60 && (power - ends[0]) % 2 && power !== ends[1]) continue; // on a phone, every other one
    context.textAlign = power === ends[0] ? "left" : "center";
    context.fillText(plain(power), Math.min(axis.x(power), axis.right - 6) - (power === ends[0] ? 3 : 0), foot + 17);
  }
  context.textAlign = "left";
  context.fillText("λ =", axis.left - 30, foot + 17);
  drawLadder(pen, told, axis, foot + 36);
}

function shadeBracket({ context, colours }, { bracket }, axis, top, bottom) {
  const [from, to] = bracket.map(axis.x);
  context.fillStyle = colours.goal;
  context.globalAlpha = 0.13;
  context.fillRect(from, top, Math.max(2, to - from), bottom - top);
  context.globalAlpha = 1;
}

function drawPanel(pen, told, axis, box, { title, top, ticks, column, curve }, asked) {
  const { context, colours } = pen;
  const y = (value) => box.bottom - (Math.max(0, Math.min(top, value)) / top) * (box.bottom - box.top);
  context.lineWidth = 1;
  context.strokeStyle = colours.faint;
  context.fillStyle = colours.target;
  context.textAlign = "right";
  for (const tick of ticks) {
    line(context, [axis.left, y(tick)], [axis.right, y(tick)]);
    context.fillText(String(tick), axis.left - 5, y(tick) + 4);
  }
  context.textAlign = "left";
  context.fillStyle = colours.ink;
  context.fillText(title, axis.left + 2, box.top - 5);
  if (told.curve.length) drawCurve(pen, told.curve, axis, y, curve);
  if (asked) {
    context.strokeStyle = colours.ink;
    line(context, [axis.left, y(told.level)], [axis.right, y(told.level)], [5, 4]);
    context.fillStyle = colours.ink;
    context.fillText(`${told.level} is enough`, axis.left + 3, y(told.level) - 4);
  }
  for (const run of told.machine) diamond(context, axis.x(run[0]), y(run[column]), 5.5, colours.prediction);
  for (const { run, accepted } of told.runs) mark(pen, axis.x(run[0]), y(run[column]), accepted);
  if (told.resting) return;
  ring(context, axis.x(told.now[0]), y(told.now[column]), 5, colours.ink);
}

function ring(context, x, y, radius, colour) {
  context.strokeStyle = colour;
  context.lineWidth = 1.5;
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.stroke();
}

/** The lowest, mean and highest of the seeds at each λ of the curve. */
function drawCurve({ context, colours }, rows, axis, y, column) {
  context.fillStyle = colours.target;
  context.globalAlpha = 0.25;
  context.beginPath();
  for (const row of rows) context.lineTo(axis.x(row[0]), y(row[column]));
  for (const row of [...rows].reverse()) context.lineTo(axis.x(row[0]), y(row[column + 2]));
  context.fill();
  context.globalAlpha = 1;
  context.strokeStyle = colours.target;
  context.lineWidth = 1.6;
  context.beginPath();
  for (const row of rows) context.lineTo(axis.x(row[0]), y(row[column + 1]));
  context.stroke();
}

/** A run that will do is a full dot, one that will not a cross. */
function mark({ context, colours }, x, y, accepted, size = 4) {
  if (accepted) return stampDot(context, x, y, size + 0.5, colours.healthy);
  context.strokeStyle = colours.collapsed;
  context.lineWidth = 2;
  line(context, [x - size, y - size], [x + size, y + size]);
  line(context, [x - size, y + size], [x + size, y - size]);
}

function diamond(context, x, y, size, colour) {
  context.strokeStyle = colour;
  context.lineWidth = 1.6;
  context.beginPath();
  context.moveTo(x, y - size);
  context.lineTo(x + size, y);
  context.lineTo(x, y + size);
  context.lineTo(x - size, y);
  context.closePath();
  context.stroke();
}

function line(context, from, to, dashes = []) {
  context.setLineDash(dashes);
  context.beginPath();
  context.moveTo(...from);
  context.lineTo(...to);
  context.stroke();
  context.setLineDash([]);
}

// ------------------------------------------------ the bracket after each run

function drawLadder(pen, told, axis, top) {
  const { context, colours } = pen;
  context.font = "11px system-ui, sans-serif";
  told.ladder.forEach((bracket, place) => {
    const y = top + place * ROW;
    context.fillStyle = colours.target;
    context.textAlign = "right";
    context.fillText(String(place + 1), axis.left - 5, y + 4);
    context.textAlign = "left";
    if (place >= told.done) return;
    const [from, to] = bracket.map(axis.x);
    context.fillStyle = colours.goal;
    context.fillRect(from, y - 1.5, Math.max(2, to - from), 3);
    mark(pen, axis.x(told.runs[place].run[0]), y, told.runs[place].accepted, 3);
  });
  context.fillStyle = colours.target;
  if (told.done < told.ladder.length) context.fillText("after each run: its λ, and the bracket that is left", axis.left + 2, top + told.done * ROW + 4);
  context.font = "12px system-ui, sans-serif";
}

/** The marks and what they mean, as many to a line as fit. */
function drawLegend({ context, colours, width }, told, left, top) {
  const items = [
    ["will do", (x, y) => mark({ context, colours }, x, y, true, 3.5)],
    ["will not", (x, y) => mark({ context, colours }, x, y, false, 3.5)],
    ["in training", (x, y) => ring(context, x, y, 4, colours.ink)],
    ["bracket", (x, y) => ((context.fillStyle = colours.goal), context.fillRect(x - 6, y - 1.5, 12, 3))],
  ];
  if (told.machine.length) {
    const [low, high] = told.machineBracket.map(plain);
    items.push([`the machine's eight, which leave ${low} to ${high}`, (x, y) => diamond(context, x, y, 5, colours.prediction)]);
    items.push(["curve: mean and range of five seeds", (x, y) => ((context.fillStyle = colours.target), context.fillRect(x - 7, y - 1, 14, 2))]);
  }
  context.font = "11px system-ui, sans-serif";
  let [x, y] = [left + 8, top];
  for (const [words, draw] of items) {
    const wide = context.measureText(words).width + 32;
    if (x + wide - 10 > width) [x, y] = [left + 8, y + LEGEND];
    draw(x, y);
    context.fillStyle = colours.ink;
    context.fillText(words, x + 11, y + 4);
    x += wide;
  }
  context.font = "12px system-ui, sans-serif";
}

export default defineLab({ create: bisectionView });
