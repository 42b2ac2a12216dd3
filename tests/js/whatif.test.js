"use strict";
const assert = require("node:assert/strict");
const { test } = require("node:test");
const { fromScripts, plain } = require("./scripts.js");

const { extrapolated, factorsOf } = fromScripts("{ extrapolated, factorsOf }");

/** One operation bound by each: arithmetic, memory, overhead; the last is twice as slow as its bound. */
const DATA = {
  compute: [100, 10, 1],
  memory: [20, 50, 2],
  overhead: [5, 5, 30],
  floor: [100, 50, 30],
  time: [150, 50, 60],
  level: [0, 1, 0],
  levels: ["L2", "memory"],
  text: 7,
  engine: 4,
  python: 11,
  threads: [
    { threads: 1, peak: 0.5, levels: { L2: 0.5, memory: 0.8 } },
    { threads: 2, peak: 1, levels: { L2: 1, memory: 1 } },
  ],
};
const UNCHANGED = { peak: 1, memory: [1, 1], overhead: 1 };

test("the unmodified machine gives back what was measured", () => {
  const now = extrapolated(DATA, UNCHANGED);
  assert.deepEqual(plain(now.floors), { compute: 100, memory: 50, overhead: 30, nothing: 7 });
  assert.equal(now.floor, 187);
  assert.equal(now.total, 150 + 50 + 60 + 7 + 4 + 11);
  assert.equal(now.gap + now.floor + now.python, now.total);
});

test("twice the arithmetic halves what is bound by it until the next limit", () => {
  const then = extrapolated(DATA, { ...UNCHANGED, peak: 2 });
  assert.equal(then.floors.compute, 50);
  assert.equal(then.total, extrapolated(DATA, UNCHANGED).total - 75);
  // Ten times as much: then its 20 ns of memory are the limit.
  const far = extrapolated(DATA, { ...UNCHANGED, peak: 10 });
  assert.deepEqual(plain(far.floors), { compute: 0, memory: 70, overhead: 30, nothing: 7 });
});

test("each level of the memory has its own factor", () => {
  assert.equal(extrapolated(DATA, { ...UNCHANGED, memory: [1, 2] }).floors.memory, 25);
  assert.equal(extrapolated(DATA, { ...UNCHANGED, memory: [2, 1] }).floors.memory, 50);
});

test("without overhead neither Python nor views cost anything, and text stays", () => {
  const then = extrapolated(DATA, { ...UNCHANGED, overhead: 0 });
  assert.equal(then.python, 0);
  assert.equal(then.floors.nothing, 7);
  assert.equal(then.floors.overhead, 0);
  assert.equal(then.floors.memory, 50 + 2); // the last operation is bound by its memory now
  assert.equal(then.total, 150 + 50 + 60 * (2 / 30) + 7);
});

test("the factors of a slider and of the number of threads are multiplied", () => {
  const settings = { threads: 1, bandwidth: 2, peak: 4, overhead: 0.5 };
  assert.deepEqual(plain(factorsOf(DATA, settings)), { peak: 2, memory: [1, 1.6], overhead: 0.5 });
});

test("where there are no threads to choose only the sliders count", () => {
  const settings = { threads: null, bandwidth: 2, peak: 4, overhead: 1 };
  assert.deepEqual(plain(factorsOf({ ...DATA, threads: [] }, settings)), { peak: 4, memory: [2, 2], overhead: 1 });
});

test("a level that a number of threads does not name keeps its bandwidth", () => {
  const data = { ...DATA, threads: [{ threads: 1, peak: 1, levels: { L2: 0.5 } }] };
  assert.deepEqual(plain(factorsOf(data, { threads: 1, bandwidth: 1, peak: 1, overhead: 1 }).memory), [0.5, 1]);
});
