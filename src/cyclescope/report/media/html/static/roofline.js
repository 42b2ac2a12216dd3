/* The roofline: places of the model under the ceilings of the machine, on two logarithmic scales, and on a strip of
   bandwidths those that compute nothing. Drawn for the width that there is, so that its words keep their size. */

/**
 * The drawing as media/html/roofline_view.py writes it. The first `upper` points stand under the roof, the others on the
 * strip; an axis is null where nothing stands on it.
 * @typedef {object} RooflineData
 * @property {Axis | null} x FLOP a byte
 * @property {Axis | null} y FLOP a second
 * @property {Axis | null} strip bytes a second
 * @property {Ceiling[]} products the highest first
 * @property {Ceiling[]} bandwidths the fastest first
 * @property {number} upper
 * @property {RooflinePoint[]} points
 * @property {string[]} facts the names of the facts of each point
 * @property {{ flops_axis: string, intensity_axis: string, strip: string, bandwidth_axis: string, plot: string }} texts
 */
/** @typedef {{ low: number, high: number, marks: Mark[] }} Axis logarithmic */
/** @typedef {[value: number, text: string]} Mark */
/** @typedef {[rate: number, name: string, short: string]} Ceiling */
/**
 * `target` is the span that it stands for, −1 where none is drawn; `y` is 0 on the strip.
 * @typedef {object} RooflinePoint
 * @property {number} x
 * @property {number} y
 * @property {number} time
 * @property {string} family
 * @property {boolean} hollow
 * @property {string} title
 * @property {string} short
 * @property {string[]} facts
 * @property {number} target
 */
/** @typedef {(value: number) => number} ToPixels */
/** @typedef {{ x: number, y: number, width: number, height: number }} Box */
/** @typedef {{ left: number, right: number, top: number, bottom: number }} Bounds */
/** @typedef {{ x: number, y: number, r: number }} Circle */
/**
 * A ceiling in the drawing; its name begins best at `near` of its length.
 * @typedef {object} Stroke
 * @property {string} name
 * @property {string} text
 * @property {number} x1
 * @property {number} y1
 * @property {number} x2
 * @property {number} y2
 * @property {number} near
 */
/** @typedef {{ text: string, x: number, from: number, to: number, row: number }} LevelName its line is at `x` */

const TEXT = 12; // height of a line of words
const STRIP = 92;
const LEAST_RADIUS = 2.2;
const PAPER = 690; // a sheet is so wide, whatever the screen is

/**
 * Where on the screen a value of `axis` stands, if its ends stand at `from` and `to`.
 * @param {Axis} axis
 * @param {number} from
 * @param {number} to
 * @returns {ToPixels}
 */
function logScale(axis, from, to) {
  const low = Math.log10(axis.low);
  const per = (to - from) / (Math.log10(axis.high) - low);
  return (value) => from + (Math.log10(value) - low) * per;
}

/**
 * The radius of a point: its area is as its time, but none is too small to see.
 * @param {number} time
 * @param {number} longest
 * @param {number} largest
 */
function dotRadius(time, longest, largest) {
  return Math.max(LEAST_RADIUS, Math.sqrt(time / longest) * largest);
}

/**
 * The ends of the line of a memory that moves `rate` bytes a second: it begins where the plot does, and ends where
 * arithmetic becomes the limit. Null where nothing of it is in the plot.
 * @param {number} rate
 * @param {Axis} x
 * @param {Axis} y
 * @param {number} roof the highest ceiling of arithmetic, or the top of the plot
 */
function memoryLine(rate, x, y, roof) {
  const from = Math.max(x.low, y.low / rate);
  const to = Math.min(x.high, roof / rate);
  return to > from ? { from, to } : null;
}

/**
 * Whether the names of two levels meet, or the line of one, which goes down from its name, goes through the other.
 * @param {LevelName} a
 * @param {LevelName} b
 */
function inTheWay(a, b) {
  /**
   * @param {LevelName} line
   * @param {LevelName} name
   */
  const through = (line, name) => line.row <= name.row && line.x > name.from - 4 && line.x < name.to + 4;
  return through(a, b) || through(b, a) || (a.row === b.row && a.from < b.to + 8 && b.from < a.to + 8);
}

/**
 * Names of levels in as many rows as they need, each beside its line and in the way of no other; `bare` are the lines of
 * those that find no place. From the slowest on there is one below the names before it, but for the rim.
 * @param {Ceiling[]} bandwidths
 * @param {ToPixels} across
 * @param {(text: string) => number} wide
 * @param {number} right
 */
function nameLevels(bandwidths, across, wide, right) {
  /** @type {LevelName[]} */
  const named = [];
  const bare = [];
  for (const [rate, text] of [...bandwidths].reverse()) {
    const [x, width] = [across(rate), wide(text)];
    const taken = named.map(({ row }) => row);
    const [first, last] = [Math.min(0, ...taken), Math.max(-1, ...taken)];
    const rows = [...Array.from({ length: last - first + 2 }, (_, k) => first + k), first - 1];
    const places = rows.flatMap((row) => [x + 4, x - 4 - width].map((from) => ({ text, x, from, to: from + width, row })));
    const place = places.find((it) => it.from >= 0 && it.to <= right && !named.some((other) => inTheWay(it, other)));
    if (place) named.push(place);
    else bare.push(x);
  }
  const top = Math.min(...named.map(({ row }) => row));
  for (const name of named) name.row -= top;
  return { named, bare, rows: Math.max(0, ...named.map(({ row }) => row + 1)) };
}

class Roofline {
  /**
   * `open(target)` shows in the timeline what a point stands for.
   * @param {HTMLElement} root
   * @param {RooflineData} data
   * @param {(target: number) => void} open
   */
  constructor(root, data, open) {
    this.root = root;
    this.data = data;
    this.texts = data.texts;
    this.open = open;
    this.plot = partOf(root, "plot", HTMLElement);
    this.tip = partOf(root, "tip", HTMLElement);
    this.live = partOf(root, "live", HTMLElement);
    this.pen = penOf(document.createElement("canvas"));
    this.family = getComputedStyle(document.body).fontFamily;
    this.longest = Math.max(1, ...data.points.map((point) => point.time));
    this.order = data.points.map((_, k) => k).sort((a, b) => data.points[b].time - data.points[a].time);
    this.at = -1;
    this.width = 0;
    this.left = 0;
    this.right = 0;
    this.narrow = false;
    this.svg = drawn("svg", {});
    /** @type {Box[]} */
    this.placed = []; // boxes of words and points that further words keep clear of
    /** @type {(Circle & { node: SVGCircleElement })[]} */
    this.circles = [];
    /** @type {Stroke[]} */
    this.strokes = []; // lines that words should not stand on
    this.listen();
    this.draw();
    new ResizeObserver(() => this.readColours()).observe(root);
  }

  /** The style sheet paints it; but after paper it is as wide as the screen again. */
  readColours() {
    if (this.width !== this.root.clientWidth) this.draw();
  }

  draw() {
    this.width = "printing" in document.documentElement.dataset ? PAPER : this.root.clientWidth;
    if (!this.width) return;
    this.placed = [];
    this.circles = [];
    this.strokes = [];
    const { x, y, strip } = this.data;
    this.left = Math.max(20, ...(y?.marks ?? []).map(([, text]) => this.wide(text))) + 10;
    this.right = this.width - 14;
    this.svg = drawn("svg", { width: this.width, role: "img", "aria-label": this.texts.plot });
    this.narrow = this.width < 560;
    const height = Math.round(Math.min(Math.max(this.width * 0.46, 300), 430));
    let down = 6;
    if (x && y) down = this.drawRoof(x, y, height);
    if (strip) down = this.drawStrip(strip, down + (x ? 34 : 4));
    this.svg.setAttribute("height", String(down));
    this.svg.setAttribute("viewBox", `0 0 ${this.width} ${down}`);
    this.plot.replaceChildren(this.svg);
    this.root.dataset.points = String(this.circles.filter(Boolean).length);
    const at = this.at;
    this.at = -1;
    if (at >= 0) this.tell(at);
  }

  /** @param {string} text */
  wide(text, bold = false) {
    this.pen.font = `${bold ? "600 " : ""}11.5px ${this.family}`;
    return this.pen.measureText(text).width;
  }

  /**
   * @param {string} name
   * @param {number} x1
   * @param {number} y1
   * @param {number} x2
   * @param {number} y2
   */
  line(name, x1, y1, x2, y2) {
    this.svg.append(drawn("line", { class: name, x1: x1.toFixed(1), y1: y1.toFixed(1), x2: x2.toFixed(1), y2: y2.toFixed(1) }));
  }

  /**
   * @param {string} text
   * @param {number} x
   * @param {number} y
   * @param {Record<string, string>} [attributes]
   */
  words(text, x, y, attributes = {}) {
    this.svg.append(drawn("text", { x: x.toFixed(1), y: y.toFixed(1), ...attributes }, text));
  }

  /* ---- above: FLOP/s over FLOP a byte ---- */

  /**
   * @param {Axis} x
   * @param {Axis} y
   * @param {number} height
   */
  drawRoof(x, y, height) {
    const { products, bandwidths, points, upper } = this.data;
    const top = 22;
    const across = logScale(x, this.left, this.right);
    const down = logScale(y, height, top);
    this.words(this.texts.flops_axis, 0, 11, { class: "axis-name" });
    for (const [value, text] of y.marks) {
      this.line("grid", this.left, down(value), this.right, down(value));
      this.words(text, this.left - 7, down(value) + 4, { "text-anchor": "end" });
    }
    this.marksBelow(x.marks, across, top, height);
    this.words(this.texts.intensity_axis, (this.left + this.right) / 2, height + 36, { "text-anchor": "middle", class: "axis-name" });

    const tops = products.map(([value]) => value);
    const fastest = Math.max(...bandwidths.map(([value]) => value));
    /** @type {Stroke[]} */
    const lines = [];
    for (const [rate, long, short] of bandwidths) {
      const text = this.narrow ? short : long;
      const ends = memoryLine(rate, x, y, tops.length ? Math.max(...tops) : y.high);
      if (!ends) continue;
      const { from, to } = ends;
      lines.push({ name: "ceiling memory", text, x1: across(from), y1: down(from * rate), x2: across(to), y2: down(to * rate), near: 0.12 });
    }
    for (const [rate, long, short] of products) {
      const text = this.narrow ? short : long;
      const from = Number.isFinite(fastest) ? Math.max(x.low, rate / fastest) : x.low;
      if (from < x.high) lines.push({ name: "ceiling compute", text, x1: across(from), y1: down(rate), x2: this.right, y2: down(rate), near: 0.98 });
    }
    for (const { name, x1, y1, x2, y2 } of lines) this.line(name, x1, y1, x2, y2);
    this.strokes = lines;
    points.slice(0, upper).forEach((point, k) => this.circle(k, across(point.x), down(point.y)));
    const bounds = { left: this.left, right: this.right, top: 2, bottom: height };
    for (const line of lines) this.nameLine(line, bounds);
    this.namePoints(0, upper, bounds);
    this.strokes = [];
    return height + 40;
  }

  /**
   * @param {Mark[]} marks
   * @param {ToPixels} across
   * @param {number} top
   * @param {number} bottom
   */
  marksBelow(marks, across, top, bottom) {
    this.line("axis", this.left, bottom, this.right, bottom);
    let free = -Infinity;
    for (const [value, text] of marks) {
      const x = across(value);
      this.line("grid", x, top, x, bottom + 5);
      const half = this.wide(text) / 2;
      const at = Math.min(Math.max(x, half), this.width - half);
      if (at - half < free) continue;
      this.words(text, at, bottom + 18, { "text-anchor": "middle" });
      free = at + half + 8;
    }
  }

  /**
   * Write a ceiling's name along it, where it covers the least.
   * @param {Stroke} line
   * @param {Bounds} bounds
   */
  nameLine(line, bounds) {
    const { text, x1, y1, x2, y2, near } = line;
    const long = Math.hypot(x2 - x1, y2 - y1);
    const [ux, uy] = [(x2 - x1) / long, (y2 - y1) / long];
    const wide = this.wide(text);
    if (wide > long && this.data.strip) return; // the strip names it
    /** @type {{ cost: number, boxes: Box[], x: number, y: number } | null} */
    let best = null;
    for (let k = 0; k <= 16; k++) {
      const begin = (long - wide) * (k / 16);
      if (begin < 0) break;
      for (const off of [-6, 14]) {
        const boxes = [];
        for (let d = 0; d <= wide; d += 8) {
          const [x, y] = [x1 + ux * (begin + d) + uy * -off, y1 + uy * (begin + d) + ux * off];
          boxes.push({ x: x - 4, y: y - 9, width: 8, height: 11 });
        }
        const cost = boxes.reduce((sum, box) => sum + this.crowd(box, bounds) + this.crossed(box, line), 0) + Math.abs(k / 16 - near) * 3 + (off > 0 ? 1 : 0);
        if (!best || cost < best.cost) best = { cost, boxes, x: x1 + ux * begin + uy * -off, y: y1 + uy * begin + ux * off };
      }
    }
    if (!best) return;
    this.placed.push(...best.boxes);
    const turn = (Math.atan2(uy, ux) * 180) / Math.PI;
    this.words(text, best.x, best.y, { class: "name", transform: `rotate(${turn.toFixed(2)} ${best.x.toFixed(1)} ${best.y.toFixed(1)})` });
  }

  /**
   * Write the names of the costliest points beside them, as many as find room.
   * @param {number} from
   * @param {number} to
   * @param {Bounds} bounds
   */
  namePoints(from, to, bounds) {
    const chosen = this.order.filter((k) => k >= from && k < to && this.circles[k]).slice(0, this.narrow ? 4 : 7);
    for (const k of chosen) {
      const { x, y, r } = this.circles[k];
      this.wide("", true); // the pen is bold now
      const text = shorten(this.pen, this.data.points[k].short, 170);
      const wide = this.wide(text, true);
      const spots = [
        [x + r + 4, y + 4], [x - r - 4 - wide, y + 4], [x - wide / 2, y - r - 5], [x - wide / 2, y + r + 13],
        [x + r * 0.7 + 4, y - r * 0.7 - 2], [x - r * 0.7 - 4 - wide, y - r * 0.7 - 2], [x + r * 0.7 + 4, y + r * 0.7 + 10], [x - r * 0.7 - 4 - wide, y + r * 0.7 + 10],
      ];
      for (const [left, base] of spots) {
        const box = { x: left, y: base - 9.5, width: wide, height: TEXT };
        if (this.crowd(box, bounds, k) > 0) continue;
        this.placed.push(box);
        this.words(text, left, base, { class: "name point-name" });
        break;
      }
    }
  }

  /**
   * How much of other words, of points and of the rim a box would cover.
   * @param {Box} box
   * @param {Bounds} bounds
   */
  crowd(box, bounds, own = -1) {
    let cost = 0;
    if (box.x < bounds.left + 1 || box.x + box.width > bounds.right || box.y < bounds.top || box.y + box.height > bounds.bottom) cost += 40;
    for (const other of this.placed) {
      if (box.x < other.x + other.width + 2 && other.x < box.x + box.width + 2 && box.y < other.y + other.height + 1 && other.y < box.y + box.height + 1) cost += 20;
    }
    this.circles.forEach((circle, k) => {
      if (!circle || k === own) return;
      const dx = circle.x - Math.min(Math.max(circle.x, box.x), box.x + box.width);
      const dy = circle.y - Math.min(Math.max(circle.y, box.y), box.y + box.height);
      if (Math.hypot(dx, dy) < circle.r + 1) cost += 4;
    });
    return cost;
  }

  /**
   * How many lines besides its own go through a box.
   * @param {Box} box
   * @param {Stroke} own
   */
  crossed(box, own) {
    const at = box.x + box.width / 2;
    return this.strokes.filter(({ x1, y1, x2, y2 }, k) => {
      if (this.strokes[k] === own || at < x1 || at > x2) return false;
      const y = y1 + ((at - x1) / (x2 - x1)) * (y2 - y1);
      return y > box.y - 1 && y < box.y + box.height + 1;
    }).length;
  }

  /* ---- below: bytes a second ---- */

  /**
   * @param {Axis} strip
   * @param {number} top
   */
  drawStrip(strip, top) {
    const { bandwidths, points, upper } = this.data;
    const across = logScale(strip, this.left, this.right);
    this.words(this.texts.strip, 0, top + 8, { class: "axis-name" });
    const { named, bare, rows } = nameLevels(bandwidths, across, (text) => this.wide(text), this.right);
    const begin = top + 18 + rows * 14;
    const bottom = begin + STRIP;
    this.marksBelow(strip.marks, across, begin, bottom);
    for (const x of bare) this.line("ceiling memory", x, begin, x, bottom);
    for (const { text, x, from, row } of named) {
      const y = top + 27 + row * 14;
      this.line("ceiling memory", x, y - 9, x, bottom);
      this.words(text, from, y, { class: "name" });
    }
    this.words(this.texts.bandwidth_axis, (this.left + this.right) / 2, bottom + 36, { "text-anchor": "middle", class: "axis-name" });
    const middle = (begin + bottom) / 2;
    const swarm = this.order.filter((k) => k >= upper);
    /** @type {Circle[]} */
    const settled = [];
    for (const k of swarm) {
      const x = across(points[k].x);
      const r = this.radius(points[k]);
      const most = Math.max(0, STRIP / 2 - r - 2);
      let y = middle;
      for (let off = 0; off <= most; off += 2) {
        const free = [middle - off, middle + off].find((at) => settled.every((s) => Math.hypot(s.x - x, s.y - at) >= s.r + r + 1));
        if (free === undefined) continue;
        y = free;
        break;
      }
      settled.push({ x, y, r });
      this.circle(k, x, y);
    }
    this.namePoints(upper, points.length, { left: this.left, right: this.right, top: begin, bottom });
    return bottom + 42;
  }

  /** @param {RooflinePoint} point */
  radius(point) {
    return dotRadius(point.time, this.longest, this.narrow ? 15 : 22);
  }

  /**
   * @param {number} k
   * @param {number} x
   * @param {number} y
   */
  circle(k, x, y) {
    const point = this.data.points[k];
    const r = this.radius(point);
    const node = drawn("circle", { class: `dot k-${point.family}${point.hollow ? " hollow" : ""}`, cx: x.toFixed(1), cy: y.toFixed(1), r: r.toFixed(1) });
    this.circles[k] = { x, y, r, node };
    this.svg.append(node);
  }

  /* ---- telling ---- */

  /**
   * Tell point `k`.
   * @param {number} k
   */
  tell(k) {
    if (k === this.at || !this.circles[k]) return;
    this.forget();
    this.at = k;
    const { x, y, r, node } = this.circles[k];
    node.classList.add("here");
    const point = this.data.points[k];
    const list = document.createElement("dl");
    /** @type {[string, string][]} */
    const facts = point.facts.map((value, n) => [this.data.facts[n], value]);
    for (const [name, value] of facts) list.append(element("dt", name), element("dd", value));
    const { tip } = this;
    tip.replaceChildren(element("strong", point.title), list);
    tip.hidden = false;
    const beside = x + r + 12 + tip.offsetWidth < this.width ? x + r + 12 : x - r - 12 - tip.offsetWidth;
    const left = Math.max(0, beside < 0 ? Math.min(x, this.width - tip.offsetWidth) : beside);
    tip.style.transform = `translate(${Math.round(left)}px, ${Math.round(beside < 0 ? y + r + 12 : Math.max(0, y - 30))}px)`;
    this.live.textContent = [point.title, ...facts.map(([name, value]) => `${name} ${value}`)].join(", ");
  }

  forget() {
    this.circles[this.at]?.node.classList.remove("here");
    this.at = -1;
    this.tip.hidden = true;
  }

  /** @param {MouseEvent} event */
  nearest(event) {
    const box = this.svg.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    let best = -1;
    let least = 8; // so far beside a point is still at it
    this.circles.forEach((circle, k) => {
      const off = Math.hypot(circle.x - x, circle.y - y) - circle.r;
      if (off >= least) return;
      least = off;
      best = k;
    });
    return best;
  }

  listen() {
    const { root } = this;
    /** @param {MouseEvent} event */
    const follow = (event) => {
      const k = this.nearest(event);
      if (k >= 0) this.tell(k);
      else if (document.activeElement !== root) this.forget();
      root.style.cursor = k >= 0 && this.data.points[k].target >= 0 ? "pointer" : "";
      return k;
    };
    root.addEventListener("pointermove", follow);
    root.addEventListener("pointerleave", () => {
      if (document.activeElement !== root) this.forget();
    });
    root.addEventListener("click", (event) => {
      const before = this.at;
      const k = follow(event);
      // A finger cannot hover, so its first touch only tells.
      const touch = event instanceof PointerEvent && event.pointerType === "touch";
      if (k >= 0 && (!touch || k === before)) this.show();
    });
    root.addEventListener("focus", () => {
      if (root.matches(":focus-visible") && this.at < 0) this.tell(this.order[0]);
    });
    root.addEventListener("blur", () => this.forget());
    root.addEventListener("keydown", (event) => this.key(event));
  }

  show() {
    const target = this.data.points[this.at]?.target ?? -1;
    if (target >= 0) this.open(target);
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const place = this.order.indexOf(this.at);
    /** @param {number} to */
    const go = (to) => this.tell(this.order[Math.min(Math.max(to, 0), this.order.length - 1)]);
    /** @type {Record<string, () => void>} */
    const actions = {
      ArrowRight: () => go(place + 1),
      ArrowLeft: () => go(place - 1),
      Home: () => go(0),
      End: () => go(this.order.length - 1),
      Enter: () => this.show(),
      Escape: () => this.forget(),
    };
    if (!Object.hasOwn(actions, event.key)) return;
    event.preventDefault();
    actions[event.key]();
  }
}
