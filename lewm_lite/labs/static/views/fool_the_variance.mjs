import { addCanvas, brushWithHand, drawBrush, drawShadow, drawTarget, prepareCanvas, stampDot, verdictRow } from "../canvas.mjs";
import { defineLab } from "../core.mjs";

// Draws the cloud, which a pointer can push about, the three judges' verdicts, and the shadow that shows it worst.

const REACH = 3.2; // what the axes show, in units of the target's standard deviation
const BRUSH = 0.5; // the radius that the hand's circle is drawn with: where a point takes 60 % of a move

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
  const rows = JUDGES.map((judge) => buildRow(right, judge));
  right.append(below);
  const shadow = addCanvas(below);
  let last = null;
  const pointer = brushWithHand(cloud, REACH, hand, () => last && draw(last));

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
    drawJudgedCloud(pen, points, direction, colour, pointer());
    drawWorstShadow(prepareCanvas(shadow, below, { aspect: 0.36, tallest: 150 }), points, direction, colour, seen.dims[0]);
    const said = JUDGES.map(({ name }, i) => `${name} ${verdicts[i] ? "content" : "not content"}`).join(", ");
    const degrees = Math.round((180 * worst) / seen.dims[0]);
    cloud.setAttribute("aria-label", `${points.dims[0]} points, effective rank ${frame.readings.effective_rank.toFixed(2)} of 2. Judges: ${said}. A pointer moves the points it is dragged over; part, squeeze and turn below do so by keyboard.`);
    shadow.setAttribute("aria-label", `Histogram of the cloud's shadow along ${degrees} degrees, the worst of ${seen.dims[0]}, under the bell curve of a standard Gaussian.`);
  }
  return { draw };
}

/** One judge: its verdict, whether it pushes, and its score. */
function buildRow(parent, { reading, name, asks, pushers }) {
  const row = verdictRow(parent);
  return {
    show({ readings, values, shown, live }, level, content) {
      const { judge } = live ? values : (shown ?? values); // a recording has settings of its own at each moment
      const words = `${name}: ${content ? "content" : "not content"}`;
      row.show({ content, words, beside: pushers.includes(judge) ? "pushes" : "", score: readings[reading], level, asks });
    },
  };
}

function drawJudgedCloud({ context, width, height, colours }, points, direction, colour, pointer) {
  const [middle, centre] = [width / 2, height / 2];
  const scale = Math.min(width, height) / 2 / REACH;
  const radius = width < 300 ? 1.6 : 2.2;
  drawTarget(context, middle, centre, scale, colours.target, { named: true });
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
  drawBrush({ context, width, height, colours }, pointer, scale, BRUSH);
}

function drawWorstShadow(pen, points, direction, colour, count) {
  const { context, width, height, colours } = pen;
  drawShadow(pen, points, direction, colour, { left: 0, base: height - 16, width, height: height - 36, reach: REACH, density: 0.8 });
  context.fillStyle = colours.ink;
  context.fillText(`worst of ${count} shadows: along the line`, 0, 12);
}

export default defineLab({ create: fooledView });
