"use strict";
const assert = require("node:assert/strict");
const { test } = require("node:test");
const { fromScripts } = require("./scripts.js");

const { nearestTo, Curve } = fromScripts("{ nearestTo, Curve }");

test("the nearest point is found, of two as near ones the first", () => {
  assert.equal(nearestTo([2.5, 50, 97.5], 0), 0);
  assert.equal(nearestTo([2.5, 50, 97.5], 40), 1);
  assert.equal(nearestTo([2.5, 50, 97.5], 200), 2);
  assert.equal(nearestTo([0, 10], 5), 0);
});

/** A curve of three points whose drawing is 400 pixels wide and begins at 100. */
function curve() {
  const lit = [];
  const point = (k) => ({ classList: { add: () => lit.push(k), remove: () => lit.push(-k) }, dataset: { target: String(10 * k) } });
  const opened = [];
  const made = Object.assign(Object.create(Curve.prototype), {
    points: [0, 1, 2].map(point),
    places: ["2.5%", "50%", "97.5%"],
    plot: { getBoundingClientRect: () => ({ left: 100, width: 400 }) },
    root: { querySelectorAll: () => [] },
    said: { textContent: "" },
    words: (k) => `point ${k}`,
    open: (target) => opened.push(target),
    at: -1,
  });
  return { made, opened };
}

test("a place across the screen is a share of the drawing", () => {
  const { made } = curve();
  assert.deepEqual([100, 290, 310, 500, 900].map((x) => made.nearest(x)), [0, 1, 1, 2, 2]);
});

test("keys walk along the points, stop at the ends and open what a point stands for", () => {
  const { made, opened } = curve();
  const press = (key, more = {}) => made.key({ key, preventDefault: () => {}, ...more });
  made.tell(1);
  press("ArrowRight");
  press("ArrowRight");
  assert.deepEqual([made.at, made.said.textContent], [2, "point 2"]);
  press("Home");
  press("ArrowLeft");
  assert.equal(made.at, 0);
  press("End", { ctrlKey: true }); // the browser's own
  press("q");
  assert.equal(made.at, 0);
  press("End");
  press("Enter");
  assert.deepEqual(opened, [20]);
});
