"use strict";
const assert = require("node:assert/strict");
const { test } = require("node:test");
const { fromScripts, plain } = require("./scripts.js");

const { Spans, firstAbove, keptInside, zoomed, niceStep, outermostTime, Timeline } = fromScripts(
  "{ Spans, firstAbove, keptInside, zoomed, niceStep, outermostTime, Timeline }",
);

/** Columns of spans given as [name, kind, module, start, duration, depth, cost?]. */
function columnsOf(rows, steps = []) {
  const texts = [];
  const number = (text) => (texts.includes(text) ? texts.indexOf(text) : texts.push(text) - 1);
  const costs = rows.filter((row) => row[6]).map((row) => row[6]);
  let before = 0;
  let cost = 0;
  const columns = { texts, costs, name: [], kind: [], stage: [], module: [], layer: [], after: [], duration: [], depth: [], cost: [], steps };
  for (const [name, kind, module, start, duration, depth, work] of rows) {
    const row = { name: number(name), kind: number(kind), stage: number(""), module: number(module), layer: -1,
      after: start - before, duration, depth, cost: work ? cost++ : -1 };
    for (const [key, value] of Object.entries(row)) columns[key].push(value);
    before = start;
  }
  return columns;
}

/** Two layers, of which the second takes longer, in a cycle of 100 ns. */
const ROWS = [
  ["cycle", "frame", "", 0, 100, 0],
  ["Layer", "frame", "layer.0", 0, 30, 1],
  ["linear", "matmul", "layer.0.q", 0, 20, 2, [200, 0, 8, 4]],
  ["add", "elementwise", "layer.0.o", 20, 10, 2, [0, 5, 3, 3]],
  ["Layer", "frame", "layer.1", 40, 60, 1],
  ["linear", "matmul", "layer.1.q", 40, 20, 2, [200, 0, 8, 4]],
  ["add", "elementwise", "layer.1.o", 65, 35, 2, [0, 5, 3, 3]],
];
const spans = new Spans(columnsOf(ROWS));
const happened = spans.asItHappened();
const heaviest = spans.heaviestFirst(happened);

test("starts, ends, parents and tracks follow from the columns", () => {
  assert.deepEqual(plain([...happened.start]), [0, 0, 0, 20, 40, 40, 65]);
  assert.deepEqual(plain([...happened.parent]), [-1, 0, 1, 1, 0, 4, 4]);
  assert.deepEqual(plain(happened.children[0]), [1, 4]);
  assert.deepEqual(happened.tracks.map((track) => [...track]).length, 3);
  assert.deepEqual(plain([...happened.tracks[2]]), [2, 3, 5, 6]);
  assert.equal(happened.total, 100);
});

test("work is added up to the top", () => {
  assert.equal(happened.flops[0], 400);
  assert.equal(happened.bytes[0], 36);
  assert.equal(happened.bytes[4], 18);
});

test("a rectangle is hit from its start up to its end, which is no longer its own", () => {
  assert.equal(happened.at(0, 2), 2);
  assert.equal(happened.at(19.9, 2), 2);
  assert.equal(happened.at(20, 2), 3);
  assert.equal(happened.at(35, 1), -1); // between the layers
  assert.equal(happened.at(40, 1), 4);
  assert.equal(happened.at(62, 2), -1);
  assert.equal(happened.at(100, 0), -1);
  assert.equal(happened.at(50, 3), -1); // deeper than anything
});

test("the first of a track that ends after a time is found", () => {
  const track = happened.tracks[2];
  const end = (i) => happened.end(i);
  assert.deepEqual([-1, 0, 20, 30, 59, 60, 99, 100].map((time) => firstAbove(track, end, time)), [0, 0, 1, 2, 2, 3, 3, 4]);
});

test("neighbours and the heaviest child are what the arrow keys go to", () => {
  assert.equal(happened.heaviestChild(0), 4);
  assert.equal(happened.heaviestChild(4), 6);
  assert.equal(happened.heaviestChild(6), -1);
  assert.equal(happened.neighbour(2, 1), 3);
  assert.equal(happened.neighbour(3, 1), 5);
  assert.equal(happened.neighbour(2, -1), -1);
  assert.equal(happened.neighbour(6, 1), -1);
});

test("equal paths are merged, the heaviest first, and no time is lost", () => {
  // One cycle, one layer for both, and in it the additions before the products, since 45 ns are more than 40.
  assert.deepEqual(plain([...heaviest.count]), [1, 2, 2, 2]);
  assert.deepEqual([...heaviest.span].map((s) => spans.name(s)), ["cycle", "Layer", "add", "linear"]);
  assert.deepEqual(plain([...heaviest.duration]), [100, 90, 45, 40]);
  assert.deepEqual(plain([...heaviest.start]), [0, 0, 0, 45]);
  assert.equal(heaviest.flops[3], 400);
  assert.equal(heaviest.total, happened.total);
});

test("steps are merged with each other but not with the prefill", () => {
  const rows = [
    ["generation", "frame", "", 0, 100, 0],
    ["Model", "frame", "model", 0, 50, 1],
    ["Model", "frame", "model", 50, 20, 1],
    ["Model", "frame", "model", 70, 30, 1],
  ];
  const generation = new Spans(columnsOf(rows, [[1, 0], [2, 1], [3, 2]]));
  const merged = generation.heaviestFirst(generation.asItHappened());
  assert.deepEqual(plain([...merged.count]), [1, 1, 2]);
  assert.deepEqual(plain([...merged.duration]), [100, 50, 50]);
});

test("where spans are left out between two depths, the next one above is the parent", () => {
  const sparse = new Spans(columnsOf([["cycle", "frame", "", 0, 10, 0], ["add", "elementwise", "", 2, 3, 3]])).asItHappened();
  assert.deepEqual(plain([...sparse.parent]), [-1, 0]);
  assert.equal(sparse.tracks.length, 4);
  assert.equal(sparse.at(3, 2), -1);
  assert.equal(sparse.at(3, 3), 1);
});

test("a view stays in the cycle and is never narrower than a few nanoseconds", () => {
  assert.deepEqual(plain(keptInside(-50, 50, 1000)), { start: 0, end: 100 });
  assert.deepEqual(plain(keptInside(950, 1050, 1000)), { start: 900, end: 1000 });
  assert.deepEqual(plain(keptInside(500, 501, 1000)), { start: 500, end: 520 });
  assert.deepEqual(plain(keptInside(-10, 5000, 1000)), { start: 0, end: 1000 });
  assert.deepEqual(plain(keptInside(0, 1, 8)), { start: 0, end: 8 }); // a cycle that is shorter than that
});

test("zooming keeps what is under the pointer in its place", () => {
  const view = zoomed({ start: 100, end: 300 }, 4, 150);
  assert.deepEqual(plain(view), { start: 137.5, end: 187.5 });
  assert.equal((150 - view.start) / (view.end - view.start), (150 - 100) / 200);
  assert.deepEqual(plain(zoomed(view, 1 / 4, 150)), { start: 100, end: 300 });
});

test("marks are 1, 2 or 5 times a power of ten apart", () => {
  assert.deepEqual([0.9, 1, 1.1, 3, 5, 6, 96, 1e6].map(niceStep), [1, 1, 2, 5, 5, 10, 100, 1e6]);
  assert.ok(niceStep(0) > 0);
});

test("the time of matches inside matches counts once", () => {
  assert.equal(outermostTime(happened, Uint8Array.from([0, 1, 1, 0, 0, 0, 1])), 30 + 35);
  assert.equal(outermostTime(happened, Uint8Array.from([1, 1, 1, 1, 1, 1, 1])), 100);
});

test("at most one rectangle a pixel is drawn, however many spans there are", () => {
  const many = Array.from({ length: 5000 }, (_, k) => ["add", "elementwise", "", k, 1, 0]);
  const arrangement = new Spans(columnsOf(many)).asItHappened();
  const drawn = [];
  const chart = { arrangement, matches: null, fillRectangle: (_, i, x, y, width) => drawn.push([i, x, width]) };
  const visited = Timeline.prototype.drawTrack.call(chart, {}, arrangement.tracks[0], 0, 5000, 200, 0, 20, false);
  assert.equal(visited, 200);
  assert.deepEqual(drawn.map(([, x]) => x), Array.from({ length: 200 }, (_, k) => k));
});

test("a rectangle that is wider than the view is cut at its edges", () => {
  const drawn = [];
  const chart = { arrangement: happened, matches: null, fillRectangle: (_, i, x, y, width) => drawn.push([i, x, width]) };
  Timeline.prototype.drawTrack.call(chart, {}, happened.tracks[0], 40, 60, 200, 0, 20, false);
  assert.deepEqual(drawn, [[0, -2, 204 - 0.75]]);
});
