import { addCanvas, addTurn, brushWithHand, drawBrush, drawShadow, drawTarget, flatten, onScreen, prepareCanvas, stampDot, verdictRow } from "../canvas.mjs";
import { defineLab } from "../core.mjs";

// Draws the forgery with the lines that its judge looks along, both verdicts, shadows, the statistic in every direction,
// and the best forgery before each judge.

const REACH = 3.2; // what the axes show, in standard deviations of the target
const BRUSH = 0.5; // the radius that the hand's circle is drawn with
const SHOWN_LOOKS = 2; // shadows of the judge's own that are drawn, before that of the worst fresh direction
const [LOWEST, HIGHEST] = [0.1, 1000]; // the statistic's axis
const MARGIN = 34; // room on the left of a chart for its numbers
const SEATS = [...Array.from({ length: 16 }, (_, i) => String(i + 1)), "4th", "2nd", "var."];
const NAMED_ON_A_PHONE = [1, 2, 4, 8, 12];
const JUDGE_SEATS = { moments_4: 16, moments_2: 17, variance: 18 };

function forgerView(stage, manifest, hand) {
  stage.classList.add("lewm-judged");
  const [left, right, wide] = ["", "", "lewm-wide"].map((name) => Object.assign(document.createElement("div"), { className: name }));
  stage.append(left, right, wide);
  const cloud = addCanvas(left);
  const [judged, unmasked] = [verdictRow(right), verdictRow(right)];
  const below = document.createElement("div");
  right.append(below);
  const shadows = addCanvas(below);
  const [around, board] = [addCanvas(wide), addCanvas(wide)];
  const kept = new Map(); // the records of this visit, which a new start does not take away
  let last = null;
  const again = () => last && draw(last);
  const inPlane = (...drag) => last?.state.points.dims[1] === 2 && hand(...drag);
  const pointer = brushWithHand(cloud, REACH, inPlane, again);
  const turn = addTurn(left, cloud, again);

  function draw(frame) {
    const { looks, eyes, seen, level } = frame.feeds ?? {};
    const { points, best } = frame.state;
    if (!points || !seen) return;
    last = frame;
    const values = frame.shown ?? frame.values; // what this moment was judged with: the controls may have moved since
    const dim = points.dims[1];
    const told = { ...frame.readings, points, eyes, seen, dim, level: level.data[0], fresh: values.fresh, judge: values.judge };
    told.looks = values.fresh || values.judge === "directions" ? rowsOf(looks) : [];
    told.worst = seen.data.indexOf(Math.max(...seen.data));
    told.seat = values.fresh ? null : (JUDGE_SEATS[values.judge] ?? values.num_directions - 1);
    const records = kept.get(dim) ?? new Float32Array(SEATS.length);
    kept.set(dim, records);
    best.data.forEach((points, i) => (records[i] = Math.max(records[i], points)));
    if (told.seat !== null) records[told.seat] = Math.max(records[told.seat], told.record); // this moment's own counts, too
    turn.show(dim === 3);
    show(told, records, turn.angle(), dim === 2 ? pointer() : null);
  }

  function show(told, records, angle, place) {
    const content = told.content > 0;
    const words = `the judge ${content ? "is content" : "objects"}`;
    judged.show({ content, words, beside: whoJudges(told), score: told.judged, level: told.level, asks: "score" });
    const through = told.unmasked > told.level;
    const sight = through ? "fresh eyes see through it" : "fresh eyes see nothing";
    unmasked.show({ content: !through, words: sight, score: told.unmasked, level: told.level, asks: "SIGReg" });
    const pen = prepareCanvas(cloud, left, { aspect: 1, tallest: 480 });
    const colour = through ? pen.colours.collapsed : pen.colours.healthy;
    drawForgery(pen, told, colour, angle, place);
    drawShadows(prepareCanvas(shadows, below, { aspect: 0, extra: 79 * (1 + Math.min(SHOWN_LOOKS, told.looks.length)) }), told, colour);
    drawEveryDirection(prepareCanvas(around, wide, { aspect: 0, extra: 150 }), told, colour);
    drawRecords(prepareCanvas(board, wide, { aspect: 0, extra: 104 }), records, told.seat);
    const by = told.dim === 2 ? "A pointer moves the points it is dragged over; shape, angle and pull below do so by keyboard." : "A pointer turns the view.";
    cloud.setAttribute("aria-label", `A cloud of ${told.points.dims[0]} points in ${told.dim} dimensions and ${told.looks.length} lines that the judge looks along. It ${content ? "is content" : "objects"} at ${told.judged.toFixed(1)}; fresh eyes see ${told.unmasked.toFixed(1)}. ${by}`);
    shadows.setAttribute("aria-label", `Shadows of the cloud under the bell curve: ${Math.min(SHOWN_LOOKS, told.looks.length)} that the judge sees, and the worst of ${told.seen.dims[0]} that it does not.`);
    around.setAttribute("aria-label", `The statistic along ${told.seen.dims[0]} fresh directions, from ${Math.min(...told.seen.data).toFixed(1)} to ${told.seen.data[told.worst].toFixed(1)}; the judge is content up to ${told.level.toFixed(1)}.`);
    board.setAttribute("aria-label", `The best forgery so far before each judge: ${told.seat === null ? "nothing is earned under fresh directions" : `${records[told.seat].toFixed(1)} before this one`}.`);
  }
  return { draw };
}

const rowsOf = ({ data, dims }) => Array.from({ length: dims[0] }, (_, k) => data.subarray(k * dims[1], (k + 1) * dims[1]));

function whoJudges({ fresh, judge, looks }) {
  const count = `${looks.length} ${fresh ? "fresh" : "fixed"} line${looks.length > 1 ? "s" : ""}`;
  return looks.length ? count : { moments_4: "moments to order 4", moments_2: "mean, covariance", variance: "variance" }[judge];
}

function drawForgery(pen, { points, looks, dim, eyes, worst }, colour, angle, place) {
  const { context, width, height, colours } = pen;
  const scale = Math.min(width, height) / 2 / REACH;
  const [middle, centre] = [width / 2, height / 2];
  drawTarget(context, middle, centre, scale, colours.target, { named: true });
  const line = (direction, ink, dash) => {
    const [x, y] = flatten(direction, dim, angle);
    context.strokeStyle = context.fillStyle = ink;
    context.setLineDash(dash);
    context.beginPath();
    context.moveTo(middle - x * scale * 2.85, centre + y * scale * 2.85);
    context.lineTo(middle + x * scale * 2.85, centre - y * scale * 2.85);
    context.stroke();
    context.setLineDash([]);
    return [middle + x * scale * 3 - 4, centre - y * scale * 3 + 4];
  };
  looks.forEach((look, k) => {
    const corner = line(look, colours.ink, []);
    if (k < SHOWN_LOOKS) context.fillText(String(k + 1), ...corner);
  });
  const unseen = eyes.data.subarray(worst * dim, (worst + 1) * dim);
  context.fillText("w", ...line(unseen, colours.edge, [2, 4]));
  const seen = onScreen(points, dim, angle);
  context.globalAlpha = 0.75;
  for (let i = 0; i < seen.length; i += 2) stampDot(context, middle + seen[i] * scale, centre - seen[i + 1] * scale, width < 300 ? 1.6 : 2.2, colour);
  context.globalAlpha = 1;
  context.fillStyle = colours.target;
  context.fillText(dim === 2 ? "drag the points" : "drag to turn", 4, height - 6);
  drawBrush(pen, place, scale, BRUSH);
}

function drawShadows(pen, { points, looks, eyes, worst, dim, seen }, colour) {
  const { context, width, height, colours } = pen;
  const shown = looks.slice(0, SHOWN_LOOKS).map((look, k) => [`${k + 1}: the judge sees`, look]);
  shown.push([`w: worst of ${seen.dims[0]} that it does not see`, eyes.data.subarray(worst * dim, (worst + 1) * dim)]);
  const tall = height / shown.length;
  shown.forEach(([words, direction], k) => {
    const base = (k + 1) * tall - 16;
    drawShadow(pen, points, direction, colour, { left: 0, base, width, height: tall - 34, reach: REACH, density: 0.75 });
    context.fillStyle = colours.ink;
    context.fillText(words, 0, k * tall + 12);
  });
}

/** In the plane by angle, with the judge's lines; in space by the angle to the nearest of them, or of the axes. */
function drawEveryDirection(pen, { seen, eyes, looks, level, dim }, colour) {
  const { context, width, height, colours } = pen;
  const chart = { top: 20, base: height - 30, right: width - 6 };
  const widest = dim === 2 ? 180 : 60;
  const x = (degrees) => MARGIN + (degrees / widest) * (chart.right - MARGIN);
  const y = (value) => chart.base - (Math.log(Math.min(HIGHEST, Math.max(LOWEST, value)) / LOWEST) / Math.log(HIGHEST / LOWEST)) * (chart.base - chart.top);
  context.fillStyle = colours.ink;
  context.fillText("statistic by direction", 0, 11);
  context.fillStyle = colours.target;
  for (const value of [1, 10, 100]) context.fillText(String(value), 24 - context.measureText(String(value)).width, y(value) + 4);
  for (let degrees = 0; degrees <= widest; degrees += widest / 4) context.fillText(`${degrees}°`, x(degrees) - (degrees === widest ? 24 : 8), chart.base + 14);
  const words = dim === 2 ? "direction" : looks.length ? "from the judge's nearest line" : "from the nearest axis";
  context.fillText(words, (MARGIN + chart.right - context.measureText(words).width) / 2, height - 3);
  context.strokeStyle = colours.target;
  context.setLineDash([4, 4]);
  context.strokeRect(MARGIN, y(level), chart.right - MARGIN, 0);
  context.setLineDash([]);
  const content = `judge content below ${level.toFixed(level < 1 ? 2 : 1)}`;
  context.fillText(content, chart.right - context.measureText(content).width, 11);
  context.strokeStyle = colours.ink;
  if (dim === 2) for (const [across, up] of looks) context.strokeRect(x(((Math.atan2(up, across) * 180) / Math.PI + 360) % 180), chart.top, 0, chart.base - chart.top);
  context.strokeStyle = colour;
  context.lineWidth = 2;
  context.beginPath();
  const known = looks.length ? looks : [[1, 0, 0], [0, 1, 0], [0, 0, 1]];
  rowsOf(eyes).forEach((eye, i) => {
    if (dim === 2) return void context.lineTo(x(((i + 0.5) * 180) / seen.dims[0]), y(seen.data[i]));
    const nearest = Math.max(...known.map((line) => Math.abs(line.reduce((sum, value, j) => sum + value * eye[j], 0))));
    stampDot(context, x(Math.min(widest, (Math.acos(Math.min(1, nearest)) * 180) / Math.PI)), y(seen.data[i]), 2.4, colour);
  });
  context.stroke();
  context.lineWidth = 1;
}

function drawRecords({ context, width, height, colours }, records, seat) {
  const base = height - 28;
  const tall = (points) => (Math.log(Math.max(1, points)) / Math.log(200)) * (base - 30);
  const step = width / (SEATS.length + 5); // the last three are wider
  const from = (i) => (i < 16 ? i * step : 16 * step + (i - 16) * ((width - 16 * step) / 3));
  context.fillStyle = colours.ink;
  context.fillText(width < 480 ? "your best forgery before each judge, to fresh eyes" : "your best forgery before each judge: what fresh eyes saw while it was content", 0, 11);
  SEATS.forEach((name, i) => {
    const room = from(i + 1) - from(i) - 3;
    context.fillStyle = i === seat ? colours.healthy : colours.target;
    context.globalAlpha = i === seat ? 1 : 0.55;
    context.fillRect(from(i), base - tall(records[i]), room, tall(records[i]) + 1);
    context.globalAlpha = 1;
    if (room > 15 || NAMED_ON_A_PHONE.includes(i + 1)) context.fillText(name, from(i) + Math.max(0, (room - context.measureText(name).width) / 2), base + 13);
    const points = records[i] >= 10 ? records[i].toFixed(0) : records[i].toFixed(1);
    if (records[i] > 0 && room > 15) context.fillText(points, from(i), base - tall(records[i]) - 3);
  });
  context.fillStyle = colours.target;
  context.fillText("fixed lines", 0, height - 2);
  context.fillText("moments to", from(16), height - 2);
}

export default defineLab({ create: forgerView });
