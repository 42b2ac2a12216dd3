"use strict";
const assert = require("node:assert/strict");
const { test } = require("node:test");
const { fromScripts, plain } = require("./scripts.js");

const { flowGraph, curveThrough, strokeWidth, heaviestToOpen, shorten, dagre } = fromScripts(
  "{ flowGraph, curveThrough, strokeWidth, heaviestToOpen, shorten, dagre }",
);

/** Letters of seven pixels each. */
const LETTERS = { width: (text) => 7 * text.length, clip: (text, _, most) => text.slice(0, Math.floor(most / 7)) };
const node = (name, more = {}) => ({ role: "layer", lines: [name, "12.3 ms"], title: name, critical: false, repeats: 1, weight: 1, family: null, inside: null, ...more });
const edge = (source, target, bytes = 1000) => ({ source, target, bytes, critical: false, lines: ["1.00 kB"], title: "" });
const FLOW = {
  nodes: [node("text in"), node("layers 0 – 11", { repeats: 12 }), node("a name of a part that is longer than a box may be"), node("out")],
  edges: [edge(0, 1), edge(1, 1), edge(1, 2), edge(1, 3), edge(2, 3), edge(2, 3)],
};

test("boxes are as large as their words", () => {
  const graph = flowGraph(FLOW, LETTERS);
  assert.deepEqual(plain(graph.nodes()), ["0", "1", "2", "3"]);
  const { width, height, lines } = graph.node("1");
  assert.equal(width, 7 * "layers 0 – 11".length + 24);
  assert.equal(height, 2 * 16 + 16);
  assert.deepEqual(plain(lines), ["layers 0 – 11", "12.3 ms"]);
});

test("long words are cut, so that no box is wider than the page", () => {
  assert.equal(flowGraph(FLOW, LETTERS).node("2").lines[0].length, 32);
});

test("an arrow from a box to itself is said in the box, and parallel arrows stay apart", () => {
  const graph = flowGraph(FLOW, LETTERS);
  assert.deepEqual(plain(graph.edges().map(({ v, w }) => `${v}>${w}`).sort()), ["0>1", "1>2", "1>3", "2>3", "2>3"]);
  for (const handle of graph.edges()) {
    const { width, height, labelpos } = graph.edge(handle);
    assert.deepEqual([width, height, labelpos], [7 * "1.00 kB".length + 12, 18, "c"]);
  }
});

test("dagre places boxes below each other, none over another, and gives every arrow points", () => {
  const graph = flowGraph(FLOW, LETTERS);
  dagre.layout(graph);
  const boxes = graph.nodes().map((id) => graph.node(id));
  for (const [k, a] of boxes.entries()) {
    for (const b of boxes.slice(k + 1)) {
      assert.ok(Math.abs(a.x - b.x) >= (a.width + b.width) / 2 || Math.abs(a.y - b.y) >= (a.height + b.height) / 2);
    }
  }
  for (const handle of graph.edges()) {
    assert.ok(graph.node(handle.v).y < graph.node(handle.w).y);
    assert.ok(graph.edge(handle).points.length >= 2);
  }
  assert.ok(graph.graph().width > 0 && graph.graph().height > 0);
});

test("a curve goes from its first point to its last", () => {
  assert.equal(curveThrough([{ x: 0, y: 0 }, { x: 4, y: 8 }]), "M0 0 L4 8");
  assert.equal(curveThrough([{ x: 0, y: 0 }, { x: 4, y: 8 }, { x: 4, y: 20 }]), "M0 0 Q4 8 4 20");
  assert.equal(curveThrough([0, 10, 20, 30].map((y) => ({ x: 0, y }))), "M0 0 Q0 10 0 15 Q0 20 0 30");
});

test("an arrow grows by a pixel for each power of ten above a kilobyte, within bounds", () => {
  assert.deepEqual([0, 1, 1e3, 1e4, 1e6, 1e12].map(strokeWidth), [1, 1, 1, 2, 4, 5]);
});

test("the heaviest box with something inside is opened first", () => {
  const nodes = [node("a", { weight: 9 }), node("b", { weight: 3, inside: "0" }), node("c", { weight: 5, inside: "1" })];
  assert.equal(heaviestToOpen(nodes), 2);
  assert.equal(heaviestToOpen([node("a")]), -1);
});

test("words that do not fit end in an ellipsis, and letters are not cut in two", () => {
  const pen = { measureText: (text) => ({ width: 7 * Array.from(text).length }) };
  assert.equal(shorten(pen, "attention", 70), "attention");
  assert.equal(shorten(pen, "attention", 50), "attent…");
  assert.equal(shorten(pen, "注意力层输出", 30), "注意力…");
  assert.equal(shorten(pen, "😀😀😀😀😀", 28), "😀😀😀…");
  assert.equal(shorten(pen, "attention", 12), "");
});
