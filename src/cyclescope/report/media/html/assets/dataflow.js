/* The data flow: boxes and arrows, placed by dagre. A part can be opened to see the operations inside it. */

const LINE = 16;
const PAD = 10;
const LEAST_SCALE = 0.75;
const BETWEEN = { nodesep: 26, ranksep: 40, edgesep: 14, marginx: 8, marginy: 8, rankdir: "TB" };

/** Draw `flow` into `holder`. `open(node)` is called where a box with something inside is chosen. */
function drawFlow(holder, flow, title, open) {
  const pen = document.createElement("canvas").getContext("2d");
  const family = getComputedStyle(document.body).fontFamily;
  const widthOf = (text, font) => {
    pen.font = `${font} ${family}`;
    return pen.measureText(text).width;
  };
  const graph = new dagre.graphlib.Graph({ multigraph: true });
  graph.setGraph({ ...BETWEEN });
  graph.setDefaultEdgeLabel(() => ({}));
  const clip = (text, font, most) => {
    pen.font = `${font} ${family}`;
    return shorten(pen, text, most) || text.slice(0, 12);
  };
  flow.nodes.forEach((node, k) => {
    const lines = node.lines.map((text, n) => clip(text, n ? "12px" : "600 13px", 230));
    const wide = Math.max(...lines.map((text, n) => widthOf(text, n ? "12px" : "600 13px")));
    graph.setNode(String(k), { node, lines, width: Math.ceil(wide) + 2 * PAD + 4, height: lines.length * LINE + 2 * PAD - 4 });
  });
  for (const [e, edge] of flow.edges.entries()) {
    if (edge.source === edge.target) continue; // said inside the box: what one layer hands to the next
    const lines = edge.lines.map((text) => clip(text, "11.5px", 190));
    const wide = Math.max(...lines.map((text) => widthOf(text, "11.5px")));
    graph.setEdge(String(edge.source), String(edge.target), { edge, lines, width: Math.ceil(wide) + 12, height: lines.length * 14 + 4, labelpos: "c" }, String(e));
  }
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

function arrow({ edge, points }) {
  const middle = (a, b) => `${(a.x + b.x) / 2} ${(a.y + b.y) / 2}`;
  const last = points.length - 1;
  let path = `M${points[0].x} ${points[0].y}`;
  for (let k = 1; k < last; k++) path += ` Q${points[k].x} ${points[k].y} ${k === last - 1 ? `${points[last].x} ${points[last].y}` : middle(points[k], points[k + 1])}`;
  if (last === 1) path += ` L${points[1].x} ${points[1].y}`;
  // The wider the arrow, the more bytes cross: one pixel for each power of ten above a kilobyte.
  const weight = Math.min(5, Math.max(1, Math.log10(Math.max(edge.bytes, 1)) - 2));
  return drawn("path", { d: path, class: edge.critical ? "arrow critical" : "arrow", "stroke-width": weight.toFixed(1), "marker-end": edge.critical ? "url(#arrow-head-critical)" : "url(#arrow-head)" });
}

function arrowLabel({ edge, lines, x, y, width, height }) {
  const group = drawn("g", { class: "arrow-label" });
  group.append(drawn("title", {}, edge.title));
  group.append(drawn("rect", { x: x - width / 2, y: y - height / 2, width, height, rx: 3 }));
  lines.forEach((text, n) => group.append(drawn("text", { x, y: y - height / 2 + 13 + n * 14, "text-anchor": "middle", class: n ? "minor" : "" }, text)));
  return group;
}

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

class DataFlowView {
  constructor(root, data, texts) {
    this.root = root;
    this.data = data;
    this.texts = texts;
    this.part = (name) => root.querySelector(`[data-part="${name}"]`);
    for (const radio of root.querySelectorAll("input[type=radio]")) radio.addEventListener("change", () => this.show(radio.value));
    this.show("layer");
  }

  show(level) {
    const flow = this.data.levels[level];
    drawFlow(this.part("whole"), flow, this.texts.flow, (node, group) => this.open(node, group));
    const groups = [...this.part("whole").querySelectorAll(".box")];
    const heaviest = flow.nodes.reduce((best, node, k) => (node.inside && node.weight > (flow.nodes[best]?.weight ?? -1) ? k : best), -1);
    if (heaviest >= 0) this.open(flow.nodes[heaviest], groups[heaviest]);
  }

  open(node, group) {
    for (const other of this.part("whole").querySelectorAll(".box.opens")) other.setAttribute("aria-pressed", String(other === group));
    const detail = this.data.details[node.inside];
    this.part("inside-title").textContent = fill(node.lines[0] === detail.name ? this.texts.inside : this.texts.inside_equal, { name: detail.name, chosen: node.lines[0] });
    drawFlow(this.part("inside"), detail, this.part("inside-title").textContent, null);
  }
}
