"use strict";
const assert = require("node:assert/strict");
const { test } = require("node:test");
const { fromScripts, plain } = require("./scripts.js");

const { extrapolated } = fromScripts("{ extrapolated }");

/** One operation bound by each: arithmetic, memory, overhead; the last takes twice as long as the analytic model says. */
const DATA = {
  lanes: "added",
  compute: [100, 10, 1],
  memory: [20, 50, 2],
  overhead: [5, 5, 30],
  floor: [100, 50, 30],
  time: [105, 55, 64],
  text: 7,
  engine: 4,
  python: 11,
  threads: [
    { threads: 1, compute: [200, 20, 2], memory: [20, 60, 2] },
    { threads: 2, compute: [100, 10, 1], memory: [20, 50, 2] },
  ],
  order: null,
  at_ceilings: false,
};
const UNCHANGED = { threads: 2, bandwidth: 1, peak: 1, overhead: 1 };

test("the unmodified machine gives back what was measured", () => {
  const now = extrapolated(DATA, UNCHANGED);
  assert.deepEqual(plain(now.floors), { compute: 100, memory: 50, overhead: 30, nothing: 7 });
  assert.equal(now.floor, 187);
  assert.equal(now.total, 105 + 55 + 64 + 7 + 4 + 11);
  assert.equal(now.gap + now.floor + now.python, now.total);
});

test("what was predicted at its ceilings has no gap, whatever is changed", () => {
  const data = { ...DATA, at_ceilings: true, floor: DATA.time };
  for (const change of [{}, { peak: 10 }, { bandwidth: 4 }, { overhead: 0 }, { threads: 1 }]) {
    const then = extrapolated(data, { ...UNCHANGED, ...change });
    assert.ok(Math.abs(then.floor + then.python - then.total) < 1e-9);
    assert.equal(then.total, extrapolated(DATA, { ...UNCHANGED, ...change }).total);
  }
});

test("twice the arithmetic halves what is bound by it until the next limit", () => {
  const then = extrapolated(DATA, { ...UNCHANGED, peak: 2 });
  assert.equal(then.floors.compute, 50);
  assert.equal(then.total, extrapolated(DATA, UNCHANGED).total - 50); // its dispatch stays
  // Ten times as much: then its 20 ns of memory are the limit.
  const far = extrapolated(DATA, { ...UNCHANGED, peak: 10 });
  assert.deepEqual(plain(far.floors), { compute: 0, memory: 70, overhead: 30, nothing: 7 });
});

test("without overhead neither Python nor views cost anything, and text stays", () => {
  const then = extrapolated(DATA, { ...UNCHANGED, overhead: 0 });
  assert.equal(then.python, 0);
  assert.equal(then.floors.nothing, 7);
  assert.equal(then.floors.overhead, 0);
  assert.equal(then.floors.memory, 50 + 2); // the last operation is bound by its memory now
  assert.equal(then.total, 100 + 50 + 2 * 2 + 7); // and still takes twice what the model says
});

test("another number of threads has columns of its own, which sliders divide", () => {
  const then = extrapolated(DATA, { ...UNCHANGED, threads: 1 });
  assert.equal(then.total, 205 + 65 + 64 + 7 + 4 + 11);
  const both = extrapolated(DATA, { ...UNCHANGED, threads: 1, peak: 2, bandwidth: 2 });
  assert.equal(both.total, 105 + 35 + (64 * 31) / 32 + 7 + 4 + 11);
});

test("where there are no threads to choose only the sliders count", () => {
  const found = extrapolated({ ...DATA, threads: [] }, { ...UNCHANGED, threads: null, peak: 2 });
  assert.equal(found.total, extrapolated(DATA, { ...UNCHANGED, peak: 2 }).total);
});

test("a device works while the host launches", () => {
  // 10 ns to launch each: the first is waited for, the others are launched while it runs; then 3 ns behind the last.
  const order = { group: [0, 1, 2], time: [100, 50, 2], host: [10, 10, 10], tail: 3 };
  const device = { ...DATA, lanes: "overlapped", time: [100, 50, 2], overhead: [0, 0, 0], text: 0, engine: 0, python: 13, order };
  assert.equal(extrapolated(device, UNCHANGED).total, 165);
  const fast = extrapolated(device, { ...UNCHANGED, peak: 100, bandwidth: 100 });
  // Work of 1, 0.5 and 0.02 ns: each launch is waited for.
  assert.ok(Math.abs(fast.total - (30 + 0.02 + 3)) < 1e-9);
  assert.equal(extrapolated(device, { ...UNCHANGED, overhead: 0 }).total, 152);
});
