import { addCanvas, prepareCanvas, stampDot } from "../canvas.mjs";
import { defineLab } from "../core.mjs";

// Draws the cloud, which a pointer can push about, the three judges' verdicts, and the shadow that shows it worst.

const REACH = 3.2; // what the axes show, in units of the target's standard deviation
const BRUSH = 0.5; // the radius that the hand's circle is drawn with: where a point takes 60 % of a move
const BINS = 40;
const FINEST = 0.1; // a bar begins where a score is a tenth of what its judge is content with,
const COARSEST = 300; // and ends where it is three hundred times that

const JUDGES = [
  { reading: "variance", name: "variance", asks: "short by", pushers: ["variance", "vicreg"] },
  { reading: "covariance", name: "covariance", asks: "penalty", pushers: ["vicreg"] },
  { reading: "sigreg", name: "SIGReg", asks: "score", pushers: ["sigreg"] },
];

function fooledView(stage, manifest, hand) {
  const [left, right, below] = ["lewm-judged-cloud", "lewm-judges", "lewm-worst"].map((name) => {
    const box = document.createElement("div");
    box.className = name;
    return box;
  });
  stage.classList.add("lewm-judged");
  stage.append(left, right);
  const cloud = addCanvas(left);
  cloud.classList.add("lewm-hand");
  const rows = JUDGES.map((judge) => buildRow(right, judge));
  right.append(below);
  const shadow = addCanvas(below);
  let last = null;
  let pointer = null; // where it is over the cloud, in the cloud's units
  let held = null; // where it was when it last told of a drag

  function placeOf(event) {
    const { left: from, top, width, height } = cloud.getBoundingClientRect();
    const scale = width / 2 / REACH;
    return [(event.clientX - from - width / 2) / scale, (top + height / 2 - event.clientY) / scale];
  }
  cloud.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    cloud.setPointerCapture(event.pointerId);
    held = placeOf(event);
  });
  cloud.addEventListener("pointermove", (event) => {
    pointer = placeOf(event);
    if (held) {
      hand(...held, pointer[0] - held[0], pointer[1] - held[1]);
      held = pointer;
    }
    if (last) draw(last);
  });
  for (const end of ["pointerup", "pointercancel"]) cloud.addEventListener(end, () => (held = null));
  cloud.addEventListener("pointerleave", () => {
    pointer = null;
    if (last) draw(last);
  });

  function draw(frame) {
    const { held_out: directions, seen, levels } = frame.feeds ?? {};
    const { points } = frame.state;
    if (!points || !seen) return;
    last = frame;
    const verdicts = JUDGES.map(({ reading }, i) => frame.readings[reading] <= levels.data[i]);
    rows.forEach((row, i) => row.show(frame, levels.data[i], verdicts[i]));
    const worst = seen.data.indexOf(Math.max(...seen.data));
    const direction = directions.data.subarray(2 * worst, 2 * worst + 2);
    const pen = prepareCanvas(cloud, left, { aspect: 1, tallest: 560 });
    const colour = verdicts.every(Boolean) ? pen.colours.healthy : pen.colours.collapsed;
    drawJudgedCloud(pen, points, direction, colour, pointer);
    drawWorstShadow(prepareCanvas(shadow, below, { aspect: 0.36, tallest: 150 }), points, direction, colour, seen.dims[0]);
    const said = JUDGES.map(({ name }, i) => `${name} ${verdicts[i] ? "content" : "not content"}`).join(", ");
    const degrees = Math.round((180 * worst) / seen.dims[0]);
    cloud.setAttribute("aria-label", `${points.dims[0]} points, effective rank ${frame.readings.effective_rank.toFixed(2)} of 2. Judges: ${said}. A pointer moves the points it is dragged over; part, squeeze and turn below do so by keyboard.`);
    shadow.setAttribute("aria-label", `Histogram of the cloud's shadow along ${degrees} degrees, the worst of ${seen.dims[0]}, under the bell curve of a standard Gaussian.`);
  }
  return { draw };
}

/** One judge: mark, name and verdict in words, whether it pushes, and its score on a bar with the level it accepts. */
function buildRow(parent, { reading, name, asks, pushers }) {
  const row = document.createElement("div");
  row.className = "lewm-judge";
  row.innerHTML = '<b></b><span></span><i aria-hidden="true"><u></u></i><small></small>';
  const [verdict, pushing, bar, numbers] = row.children;
  parent.append(row);
  const place = (ratio) => Math.min(1, Math.max(0, Math.log(ratio / FINEST) / Math.log(COARSEST / FINEST)));
  bar.style.setProperty("--level", `${100 * place(1)}%`);
  return {
    show({ readings, values, shown, live }, level, content) {
      const { judge } = live ? values : (shown ?? values); // a recording has settings of its own at each moment
      row.dataset.content = content;
      verdict.textContent = `${content ? "✓" : "✗"} ${name}: ${content ? "content" : "not content"}`;
      pushing.textContent = pushers.includes(judge) ? "pushes" : "";
      bar.style.setProperty("--score", `${100 * place(readings[reading] / level)}%`);
      numbers.textContent = `${asks} ${brief(readings[reading])}, content up to ${brief(level)}`;
    },
  };
}

const brief = (value) => (value >= 100 ? value.toFixed(0) : value >= 1 ? value.toFixed(1) : value.toFixed(3));

function drawJudgedCloud({ context, width, height, colours }, points, direction, colour, pointer) {
  const [middle, centre] = [width / 2, height / 2];
  const scale = Math.min(width, height) / 2 / REACH;
  const radius = width < 300 ? 1.6 : 2.2;
  context.lineWidth = 1;
  context.strokeStyle = colours.target;
  context.fillStyle = colours.target;
  context.setLineDash([4, 4]);
  for (const sigma of [1, 2]) {
    context.beginPath();
    context.arc(middle, centre, sigma * scale, 0, 2 * Math.PI);
    context.stroke();
    context.fillText(`${sigma}σ`, middle + sigma * 0.72 * scale + 3, centre + sigma * 0.72 * scale + 11);
  }
  context.setLineDash([]);
  context.strokeStyle = colours.ink;
  context.beginPath();
  context.moveTo(middle - direction[0] * scale * 3, centre + direction[1] * scale * 3);
  context.lineTo(middle + direction[0] * scale * 3, centre - direction[1] * scale * 3);
  context.stroke();
  context.globalAlpha = 0.75;
  const { data } = points;
  for (let i = 0; i < data.length; i += 2) stampDot(context, middle + data[i] * scale, centre - data[i + 1] * scale, radius, colour);
  context.globalAlpha = 1;
  context.fillStyle = colours.target;
  context.fillText("drag the points", 4, height - 6);
  if (!pointer) return;
  context.strokeStyle = colours.edge;
  context.beginPath();
  context.arc(middle + pointer[0] * scale, centre - pointer[1] * scale, BRUSH * scale, 0, 2 * Math.PI);
  context.stroke();
}

function drawWorstShadow({ context, width, height, colours }, points, direction, colour, count) {
  const base = height - 16;
  const high = base - 20;
  const x = (value) => ((value + REACH) / (2 * REACH)) * width;
  const y = (density) => base - Math.min(1, density / 0.8) * high;
  const counts = new Float32Array(BINS);
  const { data } = points;
  for (let i = 0; i < data.length; i += 2) {
    const bin = Math.floor((x(data[i] * direction[0] + data[i + 1] * direction[1]) / width) * BINS);
    counts[Math.min(BINS - 1, Math.max(0, bin))] += 1;
  }
  context.fillStyle = colour;
  context.globalAlpha = 0.5;
  const bar = width / BINS;
  counts.forEach((number, bin) => {
    const top = y(((number / points.dims[0]) * BINS) / (2 * REACH));
    context.fillRect(bin * bar, top, bar - 0.5, base - top);
  });
  context.globalAlpha = 1;
  context.strokeStyle = colours.target;
  context.lineWidth = 1.6;
  context.beginPath();
  for (let i = 0; i <= 60; i++) {
    const value = -REACH + (2 * REACH * i) / 60;
    context.lineTo(x(value), y(Math.exp((-value * value) / 2) / Math.sqrt(2 * Math.PI)));
  }
  context.stroke();
  context.fillStyle = colours.target;
  for (const tick of [-2, 0, 2]) context.fillText(String(tick), x(tick) - (tick < 0 ? 7 : 3), base + 13);
  context.fillStyle = colours.ink;
  context.fillText(`worst of ${count} shadows: along the line`, 0, 12);
}

export default defineLab({ create: fooledView });
