"use strict";
/* That every number reads as in Python is proved by tests/paper/report/test_format_in_scripts.py. */

const assert = require("node:assert/strict");
const { test } = require("node:test");
const { fromScripts } = require("./scripts.js");

const { format, fill } = fromScripts("{ format, fill }");

test("a time has three significant digits and the unit that suits them", () => {
  assert.equal(format.time(0), "0 ns");
  assert.equal(format.time(999.4), "999 ns");
  assert.equal(format.time(999.6), "1.00 µs");
  assert.equal(format.time(61_234_567), "61.2 ms");
  assert.equal(format.time(1234e9), "1,230 s");
  assert.equal(format.time(-1500), "-1.50 µs");
});

test("what is no finite number is said to be none", () => {
  assert.equal(format.time(NaN), "–");
  assert.equal(format.flopRate(Infinity), "∞ FLOP/s");
  assert.equal(format.significant(-Infinity), "-∞");
});

test("a number between two texts takes the even one", () => {
  assert.equal(format.significant(1.125), "1.12");
  assert.equal(format.significant(1.375), "1.38");
  assert.equal(format.significant(112.5), "112");
  assert.equal(format.significant(113_500), "114,000");
  assert.equal(format.significant(112_500), "112,000");
  assert.equal(format.significant(-1_125_000), "-1.12e+06");
  assert.equal(format.significant(9.995e6), "1.00e+07");
});

test("whole bytes have no decimals", () => {
  assert.equal(format.data(512), "512 B");
  assert.equal(format.data(1024), "1.02 kB");
  assert.equal(format.flops(3), "3 FLOP");
});

test("no share reads 0 that is not", () => {
  assert.deepEqual([0, 1e-6, -1e-6, 0.0094, 0.463, 1, 12].map(format.share), ["0 %", "<0.01 %", "≈0 %", "0.94 %", "46.3 %", "100 %", "1,200 %"]);
});

test("marks of a ruler share a unit and have the decimals of their distance", () => {
  assert.deepEqual([0, 500, 1000, 1500].map((ns) => format.tick(ns, 500, 1500)), ["0.0 µs", "0.5 µs", "1.0 µs", "1.5 µs"]);
  assert.equal(format.tick(2e6, 1e6, 9e6), "2 ms");
});

test("only known names are filled in", () => {
  assert.equal(fill("{a} of {b} is {c}", { a: 1, b: "two" }), "1 of two is {c}");
});
