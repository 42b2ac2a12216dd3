/* The data flow: boxes and arrows, placed by dagre. A part can be opened to see the operations inside it. */

/**
 * A drawing as report/drawings/flow.py writes it: `source` and `target` are places in `nodes`.
 * @typedef {{ nodes: FlowBox[], edges: FlowArrow[] }} Flow
 */
/** @typedef {Flow & { name: string }} FlowDetail what is inside a box */
/** @typedef {{ flow: string, inside: string, inside_equal: string }} FlowTexts */
/** @typedef {{ levels: Record<"stage" | "layer", Flow>, details: Record<string, FlowDetail>, texts: FlowTexts }} FlowData */
/**
 * `inside` names the detail that the box opens, `family` gives it a colour.
 * @typedef {object} FlowBox
 * @property {string} role
 * @property {string[]} lines
 * @property {string} title
 * @property {boolean} critical
 * @property {number} repeats
 * @property {number} weight
 * @property {string | null} family
 * @property {string | null} inside
 */
/**
 * @typedef {object} FlowArrow
 * @property {number} source
 * @property {number} target
 * @property {number} bytes
 * @property {boolean} critical
 * @property {string[]} lines
 * @property {string} title
 */
/**
 * How words are measured and cut, in pixels.
 * @typedef {object} Letters
 * @property {(text: string, font: string) => number} width
 * @property {(text: string, font: string, most: number) => string} clip
 */
/** @typedef {{ node: FlowBox, lines: string[], width: number, height: number }} BoxLabel */
/** @typedef {{ edge: FlowArrow, lines: string[], width: number, height: number, labelpos: "c" }} ArrowLabel */

const LINE = 16;
const PAD = 10;
const LEAST_SCALE = 0.75;
/** @type {{ nodesep: number, ranksep: number, edgesep: number, marginx: number, marginy: number, rankdir: "TB" }} */
const BETWEEN = { nodesep: 26, ranksep: 40, edgesep: 14, marginx: 8, marginy: 8, rankdir: "TB" };

/**
 * Letters of the page's font.
 * @returns {Letters}
 */
function pageLetters() {
  const pen = penOf(document.createElement("canvas"));
  const family = getComputedStyle(document.body).fontFamily;
  return {
    width(text, font) {
      pen.font = `${font} ${family}`;
      return pen.measureText(text).width;
    },
    clip(text, font, most) {
      pen.font = `${font} ${family}`;
      return shorten(pen, text, most) || text.slice(0, 12);
    },
  };
}

/**
 * What dagre is given: a box for each node and a label for each arrow, as large as its words need.
 * @param {Flow} flow
 * @param {Letters} letters
 * @returns {dagre.Graph<BoxLabel, ArrowLabel>}
 */
function flowGraph(flow, letters) {
  /** @type {dagre.Graph<BoxLabel, ArrowLabel>} */
  const graph = new dagre.graphlib.Graph({ multigraph: true });
  graph.setGraph({ ...BETWEEN });
  flow.nodes.forEach((node, k) => {
    /** @param {number} n */
    const font = (n) => (n ? "12px" : "600 13px");
    const lines = node.lines.map((text, n) => letters.clip(text, font(n), 230));
    const wide = Math.max(...lines.map((text, n) => letters.width(text, font(n))));
    graph.setNode(String(k), { node, lines, width: Math.ceil(wide) + 2 * PAD + 4, height: lines.length * LINE + 2 * PAD - 4 });
  });
  for (const [e, edge] of flow.edges.entries()) {
    if (edge.source === edge.target) continue; // said inside the box: what one layer hands to the next
    const lines = edge.lines.map((text) => letters.clip(text, "11.5px", 190));
    const wide = Math.max(...lines.map((text) => letters.width(text, "11.5px")));
    /** @type {ArrowLabel} */
    const label = { edge, lines, width: Math.ceil(wide) + 12, height: lines.length * 14 + 4, labelpos: "c" };
    graph.setEdge(String(edge.source), String(edge.target), label, String(e));
  }
  return graph;
}

/**
 * Draw `flow` into `holder`. `open(node)` is called where a box with something inside is chosen.
 * @param {HTMLElement} holder
 * @param {Flow} flow
 * @param {string} title
 * @param {((node: FlowBox, group: SVGGElement) => void) | null} open
 */
function drawFlow(holder, flow, title, open) {
  const graph = flowGraph(flow, pageLetters());
  dagre.layout(graph);
  const size = graph.graph();
  const room = holder.clientWidth || size.width;
  const scale = Math.min(1, Math.max(LEAST_SCALE, room / size.width)); // shrunk to fit while it can be read, then it scrolls
  const svg = drawn("svg", {
    viewBox: `0 0 ${Math.ceil(size.width)} ${Math.ceil(size.height)}`,
    width: Math.ceil(size.width * scale),
    height: Math.ceil(size.height * scale),
    role: "group",
    "aria-label": title,
    class: "flow",
  });
  for (const handle of graph.edges()) svg.append(arrow(graph.edge(handle)));
  for (const handle of graph.edges()) svg.append(arrowLabel(graph.edge(handle)));
  for (const id of graph.nodes()) svg.append(box(graph.node(id), open));
  holder.replaceChildren(svg);
  if (flow.nodes.length) holder.scrollLeft = graph.node("0").x * scale - room / 2;
}

/**
 * The curve through `points`, smooth between its ends.
 * @param {dagre.Point[]} points
 */
function curveThrough(points) {
  /**
   * @param {dagre.Point} a
   * @param {dagre.Point} b
   */
  const middle = (a, b) => `${(a.x + b.x) / 2} ${(a.y + b.y) / 2}`;
  const last = points.length - 1;
  let path = `M${points[0].x} ${points[0].y}`;
  for (let k = 1; k < last; k++) path += ` Q${points[k].x} ${points[k].y} ${k === last - 1 ? `${points[last].x} ${points[last].y}` : middle(points[k], points[k + 1])}`;
  if (last === 1) path += ` L${points[1].x} ${points[1].y}`;
  return path;
}

/**
 * The wider the arrow, the more bytes cross: one pixel for each power of ten above a kilobyte.
 * @param {number} bytes
 */
function strokeWidth(bytes) {
  return Math.min(5, Math.max(1, Math.log10(Math.max(bytes, 1)) - 2));
}

/** @param {dagre.Placed<ArrowLabel> & { points: dagre.Point[] }} label */
function arrow({ edge, points }) {
  return drawn("path", {
    d: curveThrough(points),
    class: edge.critical ? "arrow critical" : "arrow",
    "stroke-width": strokeWidth(edge.bytes).toFixed(1),
    "marker-end": edge.critical ? "url(#arrow-head-critical)" : "url(#arrow-head)",
  });
}

/** @param {dagre.Placed<ArrowLabel>} label */
function arrowLabel({ edge, lines, x, y, width, height }) {
  const group = drawn("g", { class: "arrow-label" });
  group.append(drawn("title", {}, edge.title));
  group.append(drawn("rect", { x: x - width / 2, y: y - height / 2, width, height, rx: 3 }));
  lines.forEach((text, n) => group.append(drawn("text", { x, y: y - height / 2 + 13 + n * 14, "text-anchor": "middle", class: n ? "minor" : "" }, text)));
  return group;
}

/**
 * @param {dagre.Placed<BoxLabel>} label
 * @param {((node: FlowBox, group: SVGGElement) => void) | null} open
 */
function box({ node, lines, x, y, width, height }, open) {
  const group = drawn("g", { class: `box ${node.role}${node.critical ? " critical" : ""}`, transform: `translate(${x - width / 2} ${y - height / 2})` });
  if (node.repeats > 1) group.append(drawn("rect", { x: 5, y: -5, width, height, rx: 5, class: "behind" }));
  group.append(drawn("rect", { width, height, rx: 5 }));
  group.append(drawn("title", {}, node.title));
  if (node.family) group.append(drawn("rect", { width: 5, height, rx: 2, class: `k-${node.family}` }));
  lines.forEach((text, n) => group.append(drawn("text", { x: PAD + 3, y: PAD + 9 + n * LINE, class: n ? "minor" : "major" }, text)));
  if (open && node.inside) {
    group.setAttribute("role", "button");
    group.setAttribute("tabindex", "0");
    group.classList.add("opens");
    group.addEventListener("click", () => open(node, group));
    group.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      open(node, group);
    });
  }
  return group;
}

/**
 * The place of the box with something inside that takes longest, or −1.
 * @param {FlowBox[]} nodes
 */
function heaviestToOpen(nodes) {
  return nodes.reduce((best, node, k) => (node.inside && node.weight > (nodes[best]?.weight ?? -1) ? k : best), -1);
}

class DataFlowView {
  /**
   * @param {HTMLElement} root
   * @param {FlowData} data
   */
  constructor(root, data) {
    this.data = data;
    this.texts = data.texts;
    this.whole = partOf(root, "whole", HTMLElement);
    this.inside = partOf(root, "inside", HTMLElement);
    this.insideTitle = partOf(root, "inside-title", HTMLElement);
    for (const level of /** @type {const} */ (["stage", "layer"])) {
      the(root, `input[value="${level}"]`, HTMLInputElement).addEventListener("change", () => this.show(level));
    }
    this.show("layer");
  }

  /** @param {"stage" | "layer"} level */
  show(level) {
    const flow = this.data.levels[level];
    drawFlow(this.whole, flow, this.texts.flow, (node, group) => this.open(node, group));
    const heaviest = heaviestToOpen(flow.nodes);
    if (heaviest >= 0) this.open(flow.nodes[heaviest], this.whole.querySelectorAll(".box")[heaviest]);
  }

  /**
   * @param {FlowBox} node
   * @param {Element} group
   */
  open(node, group) {
    for (const other of this.whole.querySelectorAll(".box.opens")) other.setAttribute("aria-pressed", String(other === group));
    const detail = this.data.details[node.inside ?? ""];
    const text = node.lines[0] === detail.name ? this.texts.inside : this.texts.inside_equal;
    const title = fill(text, { name: detail.name, chosen: node.lines[0] });
    this.insideTitle.textContent = title;
    drawFlow(this.inside, detail, title, null);
  }
}
