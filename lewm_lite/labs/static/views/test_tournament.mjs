import { addCanvas, inFrame, prepareCanvas, stampDot } from "../canvas.mjs";
import { defineLab } from "../core.mjs";

// Draws a tile for each test: the cloud that its gradient moves, where each point goes, and under it two verdicts: how
// often the test sees the sick cloud, and how far its own cloud still is from N(0, I).

const TESTS = [
  { slot: "kolmogorov_smirnov", names: ["Kolmogorov–Smirnov", "Lilliefors"] },
  { slot: "cramer_von_mises", names: ["Cramér–von Mises", "Cramér–von Mises, any"] },
  { slot: "anderson_darling", names: ["Anderson–Darling", "Anderson–Darling, any"] },
  { slot: "shapiro_wilk", names: ["Shapiro–Wilk, any", "Shapiro–Wilk"] },
  { slot: "moments", names: ["four moments", "Jarque–Bera"] },
  { slot: "epps_pulley", names: ["Epps–Pulley", "Epps–Pulley, any"] },
];
const NARROW = 560; // below this width two tiles stand side by side, not three
const REACHES = [3.4, 5, 7, 10]; // what a tile may show to either side, in standard deviations of N(0, I)
const STEPS = 8; // the line from a point is so many steps long
const FEW = 20; // repeats, before which the line has too little to stand on
const GOOD_POWER = 0.8; // from here on a test is called a good one for this cloud
const FARTHEST = 1.2; // the distance that fills a bar
const WORDS = 78; // pixels of words and bars under a tile
const KEY = ["tick on a bar: a healthy cloud", "line at a point: its next eight steps"];

function tournamentView(stage) {
  const canvas = addCanvas(stage);

  function draw(frame) {
    const points = frame.state.points ?? frame.feeds?.points;
    if (!points || !frame.feeds?.move) return;
    const columns = stage.clientWidth < NARROW ? 2 : 3;
    const gap = columns === 2 ? 10 : 18;
    const side = (Math.max(260, stage.clientWidth) - gap * (columns - 1)) / columns;
    const tall = Math.min(side * 0.8, 210);
    const step = tall + WORDS + 34;
    const pen = prepareCanvas(canvas, stage, { aspect: 0, extra: step * Math.ceil(TESTS.length / columns) + 36 });
    const told = tell(frame, points);
    told.tests.forEach((test, place) => {
      const box = { left: (place % columns) * (side + gap), top: Math.floor(place / columns) * step, width: side, tall };
      drawTile(pen, test, told, box);
    });
    pen.context.fillStyle = pen.colours.target;
    KEY.forEach((words, place) => pen.context.fillText(words, 0, pen.height - 26 + 16 * place));
    canvas.setAttribute("aria-label", altWords(told));
  }
  return { draw };
}

/** What each tile says, and what they have in common: how much they show, and how far a healthy cloud is. */
function tell({ state, feeds, readings, values, shown, live }, points) {
  const { against } = live ? values : (shown ?? values);
  const [count] = points.dims;
  const healthy = feeds.healthy.data[0];
  const repeats = Math.min(200, Math.round((state.repeats ?? feeds.repeats).data[0]));
  const farthest = points.data.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const tests = TESTS.map(({ slot, names }, place) => {
    const [power, distance, carried] = ["power", "distance", "carried"].map((what) => readings[`${slot}_${what}`]);
    const own = (data, i, axis) => data[(i * TESTS.length + place) * 2 + axis];
    return {
      name: names[against === "any" ? 1 : 0],
      power,
      distance,
      carried,
      sees: repeats < FEW ? null : power >= GOOD_POWER,
      arrived: distance <= healthy,
      at: (i) => [own(points.data, i, 0), own(points.data, i, 1)],
      move: (i) => [own(feeds.move.data, i, 0), own(feeds.move.data, i, 1)],
    };
  });
  const shownCount = Math.min(count, feeds.move.dims[0]);
  return { tests, healthy, repeats, count: shownCount, reach: REACHES.find((reach) => reach > farthest) ?? REACHES.at(-1) };
}

const percentOf = (share) => `${Math.round(100 * share)} %`;
const mark = (good) => (good === null ? "·" : good ? "✓" : "✗");

function altWords({ tests, healthy, repeats }) {
  const each = tests.map(({ name, power, distance, carried, arrived }) => `${name}: sick cloud seen in ${percentOf(power)}, its own cloud ${distance.toFixed(2)} from N(0, I)${arrived ? ", arrived" : ""}, push on ${percentOf(carried)} of the points`);
  return `Six tests after ${repeats} repeats. ${each.join(". ")}. A healthy cloud is ${healthy.toFixed(2)} from N(0, I).`;
}

function drawTile(pen, test, told, { left, top, width, tall }) {
  const { context, colours } = pen;
  const colour = test.arrived ? colours.healthy : colours.collapsed;
  context.fillStyle = colours.ink;
  context.font = "bold 12px system-ui, sans-serif";
  context.fillText(test.name, left, top + 12, width);
  context.font = "12px system-ui, sans-serif";
  drawMovingCloud(pen, test, told, { left, top: top + 20, width, height: tall }, colour);
  const floor = top + 20 + tall;
  const seen = told.repeats < FEW ? `test: ${Math.round(test.power * told.repeats)} of ${told.repeats} seen` : `test: sees ${percentOf(test.power)}`;
  drawVerdict(pen, `${mark(test.sees)} ${seen}`, { left, top: floor + 4, width, share: test.power, tick: 0.05, colour: test.sees === false ? colours.collapsed : colours.healthy });
  drawVerdict(pen, `${mark(test.arrived)} loss: ${test.distance.toFixed(2)} σ off`, { left, top: floor + 29, width, share: test.distance / FARTHEST, tick: told.healthy / FARTHEST, colour });
  context.fillStyle = colours.target;
  context.fillText(`push on ${percentOf(test.carried)} of points`, left, floor + 66, width);
}

/** Words over a thin bar, with a tick at what a healthy cloud gives. */
function drawVerdict({ context, colours }, words, { left, top, width, share, tick, colour }) {
  context.fillStyle = colours.ink;
  context.fillText(words, left, top + 12, width);
  context.fillStyle = colours.faint;
  context.fillRect(left, top + 17, width, 5);
  context.fillStyle = colour;
  context.fillRect(left, top + 17, width * Math.min(1, Math.max(0, share)), 5);
  context.fillStyle = colours.ink;
  context.fillRect(left + width * tick - 0.75, top + 15, 1.5, 9);
}

/** The cloud inside the circles of N(0, I); a line from each point shows where, and how fast, it moves. */
function drawMovingCloud(pen, { at, move }, { count, reach }, box, colour) {
  inFrame(pen, box, reach, (context, middle, centre, scale) => {
    context.strokeStyle = pen.colours.ink;
    context.lineWidth = 1.1;
    context.beginPath();
    for (let i = 0; i < count; i++) {
      const [[x, y], [dx, dy]] = [at(i), move(i)];
      context.moveTo(middle + x * scale, centre - y * scale);
      context.lineTo(middle + (x + STEPS * dx) * scale, centre - (y + STEPS * dy) * scale);
    }
    context.stroke();
    for (let i = 0; i < count; i++) {
      const [x, y] = at(i);
      stampDot(context, middle + x * scale, centre - y * scale, 2, colour);
    }
  });
}

export default defineLab({ create: tournamentView });
