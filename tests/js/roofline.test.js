"use strict";
const assert = require("node:assert/strict");
const { test } = require("node:test");
const { fromScripts, plain } = require("./scripts.js");

const { logScale, dotRadius, memoryLine, inTheWay, nameLevels, LEAST_RADIUS } = fromScripts(
  "{ logScale, dotRadius, memoryLine, inTheWay, nameLevels, LEAST_RADIUS }",
);

const X = { low: 0.1, high: 1000, marks: [] };
const Y = { low: 1e9, high: 1e12, marks: [] };
const near = (a, b) => assert.ok(Math.abs(a - b) < 1e-9, `${a} must be ${b}`);

test("a logarithmic scale has equal room for every power of ten", () => {
  const across = logScale(X, 50, 450);
  [[0.1, 50], [1, 150], [10, 250], [1000, 450]].forEach(([value, pixel]) => near(across(value), pixel));
});

test("a scale may run upwards", () => {
  const down = logScale(Y, 300, 0);
  near(down(1e9), 300);
  near(down(1e10), 200);
  near(down(1e12), 0);
});

test("the area of a point is as its time, and none is too small to see", () => {
  assert.equal(dotRadius(100, 100, 22), 22);
  assert.equal(dotRadius(25, 100, 22), 11);
  assert.equal(dotRadius(0, 100, 22), LEAST_RADIUS);
});

test("the line of a memory ends where arithmetic becomes the limit", () => {
  assert.deepEqual(plain(memoryLine(1e9, X, Y, 1e11)), { from: 1, to: 100 });
  // A memory so slow that it never meets the roof, and one so fast that it is above the roof from the first.
  assert.deepEqual(plain(memoryLine(1e7, X, Y, 1e12)), { from: 100, to: 1000 });
  assert.equal(memoryLine(1e13, X, Y, 1e11), null);
});

test("on a logarithmic plot the line of a memory has one slope, whatever its bandwidth", () => {
  const [across, down] = [logScale(X, 0, 400), logScale(Y, 300, 0)];
  for (const rate of [1e8, 1e9, 1e10]) {
    const { from, to } = memoryLine(rate, X, Y, 1e12);
    near((down(to * rate) - down(from * rate)) / (across(to) - across(from)), -1);
  }
});

/** Names of seven pixels a letter on a strip of 600 pixels from 1 to 1000 GB/s. */
function named(rates) {
  const across = logScale({ low: 1e9, high: 1e12, marks: [] }, 0, 600);
  return nameLevels(rates.map((rate, k) => [rate, `level ${k}`, ""]), across, (text) => 7 * text.length, 600);
}

test("a single level is named beside its line", () => {
  const { named: [name], bare, rows } = named([1e10]);
  assert.deepEqual([name.row, name.from, rows, bare.length], [0, 204, 1, 0]);
});

test("near the right edge the name is to the left of its line", () => {
  const { named: [name] } = named([9e11]);
  assert.ok(name.to < name.x);
});

test("no name is in the way of another, whatever the levels are", () => {
  for (const rates of [[4e10, 3.5e10, 3e10, 2.8e10], [9e11, 8.8e11, 8.6e11], [1.2e9, 1.1e9, 1.05e9], [5e11, 5e10, 5e9]]) {
    const { named: names, bare, rows } = named(rates);
    assert.equal(names.length + bare.length, rates.length);
    for (const [k, a] of names.entries()) {
      assert.ok(a.from >= 0 && a.to <= 600 && a.row >= 0 && a.row < rows);
      for (const b of names.slice(k + 1)) assert.equal(inTheWay(a, b), false);
    }
  }
});

test("names that meet, and lines through names, are in the way", () => {
  const name = (x, row) => ({ text: "", x, from: x + 4, to: x + 60, row });
  assert.equal(inTheWay(name(0, 0), name(30, 0)), true);
  assert.equal(inTheWay(name(0, 0), name(100, 0)), false);
  assert.equal(inTheWay(name(30, 0), name(0, 1)), true); // the line of the upper name goes down through the lower
  assert.equal(inTheWay(name(0, 0), name(30, 1)), false);
});
