/* Lanes of a trace: a canvas that draws bins where events are narrow and events where they are wide. */

/**
 * @typedef {object} LanesData
 * @property {number} span nanoseconds
 * @property {{ bins: number, runs: number[][] }[]} levels from coarse to fine; runs are [count, value, …] of each lane
 * @property {{ names: string[], name: number[], lane: number[], begin: number[], duration: number[], paint: number[] }} items
 * @property {number[][]} windows
 * @property {{ title: string, device: boolean }[]} lanes
 * @property {string[]} host
 * @property {string[]} work
 * @property {number} shades
 * @property {{ span: string, event: string, bin: string, nothing: string, paints: Record<string, string> }} texts
 */

const LANE_ROW = 26;
const LANE_RULER = 22;
const LANE_GUTTER = 150;

/**
 * The value of each bin of a lane, from its runs.
 * @param {number[]} runs
 * @param {number} bins
 */
function unrolled(runs, bins) {
  const values = new Uint8Array(bins);
  let at = 0;
  for (let k = 0; k < runs.length; k += 2) {
    values.fill(runs[k + 1], at, at + runs[k]);
    at += runs[k];
  }
  return values;
}

/**
 * The first position in `sorted` whose value is at least `wanted`.
 * @param {ArrayLike<number>} sorted
 * @param {number} wanted
 */
function firstFrom(sorted, wanted) {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * The piece of time that is shown after a zoom by `factor` around `at`, within 0 … `span`.
 * @param {[number, number]} view
 * @param {number} factor
 * @param {number} at
 * @param {number} span
 * @returns {[number, number]}
 */
function zoomed(view, factor, at, span) {
  const width = Math.min(span, Math.max(200, (view[1] - view[0]) * factor));
  const share = (at - view[0]) / (view[1] - view[0]);
  const begin = Math.min(Math.max(0, at - share * width), span - width);
  return [begin, begin + width];
}

class LanesChart {
  /**
   * @param {HTMLElement} root
   * @param {LanesData} data
   */
  constructor(root, data) {
    this.root = root;
    this.data = data;
    this.canvas = partOf(root, "canvas", HTMLCanvasElement);
    this.stage = partOf(root, "stage", HTMLElement);
    this.told = partOf(root, "told", HTMLOutputElement);
    /** @type {[number, number]} */
    this.view = [0, data.span];
    this.levels = data.levels.map((level) => level.runs.map((runs) => unrolled(runs, level.bins)));
    /** The items of each lane, which stand next to each other. */
    this.items = data.lanes.map((_, lane) => {
      const first = firstFrom(data.items.lane, lane);
      const last = firstFrom(data.items.lane, lane + 1);
      let longest = 0;
      for (let i = first; i < last; i++) longest = Math.max(longest, data.items.duration[i]);
      return { first, last, longest, begin: data.items.begin.slice(first, last) };
    });
    /** @type {Record<string, string>} */
    this.paints = {};
    this.pending = 0;
    partOf(root, "in", HTMLElement).addEventListener("click", () => this.zoom(1 / 2));
    partOf(root, "out", HTMLElement).addEventListener("click", () => this.zoom(2));
    partOf(root, "reset", HTMLElement).addEventListener("click", () => this.show([0, data.span]));
    this.stage.addEventListener("wheel", (event) => {
      if (document.activeElement !== this.stage) return;
      event.preventDefault();
      this.zoom(event.deltaY > 0 ? 1.25 : 0.8, this.timeAt(event.clientX));
    }, { passive: false });
    this.stage.addEventListener("keydown", (event) => this.key(event));
    this.stage.addEventListener("pointerdown", (event) => this.drag(event));
    this.stage.addEventListener("pointermove", (event) => this.tell(event));
    new ResizeObserver(() => this.draw()).observe(this.stage);
    this.readColours();
  }

  readColours() {
    const style = getComputedStyle(document.documentElement);
    for (const name of [...this.data.host, ...this.data.work]) this.paints[name] = style.getPropertyValue(`--k-${name}`);
    this.ink = style.getPropertyValue("--ink") || "#1b1f24";
    this.rule = style.getPropertyValue("--rule") || "#ccc";
    this.draw();
  }

  /** @param {number} x */
  timeAt(x) {
    const box = this.canvas.getBoundingClientRect();
    const share = (x - box.left - LANE_GUTTER) / Math.max(1, box.width - LANE_GUTTER);
    return this.view[0] + Math.min(Math.max(share, 0), 1) * (this.view[1] - this.view[0]);
  }

  /**
   * @param {number} factor
   * @param {number} [at]
   */
  zoom(factor, at) {
    this.show(zoomed(this.view, factor, at ?? (this.view[0] + this.view[1]) / 2, this.data.span));
  }

  /** @param {[number, number]} view */
  show(view) {
    this.view = view;
    const texts = this.data.texts;
    const words = fill(texts.span, { from: format.time(view[0]), to: format.time(view[1]), whole: format.time(this.data.span) });
    partOf(this.root, "live", HTMLElement).textContent = words;
    this.told.textContent = words;
    this.draw();
  }

  /** @param {number} by */
  pan(by) {
    const width = this.view[1] - this.view[0];
    const begin = Math.min(Math.max(0, this.view[0] + by), this.data.span - width);
    this.show([begin, begin + width]);
  }

  /** @param {PointerEvent} event */
  drag(event) {
    const from = event.clientX;
    const view = this.view;
    const perPixel = (view[1] - view[0]) / Math.max(1, this.canvas.getBoundingClientRect().width - LANE_GUTTER);
    /** @param {PointerEvent} moved */
    const move = (moved) => {
      this.view = view;
      this.pan((from - moved.clientX) * perPixel);
    };
    const end = () => {
      removeEventListener("pointermove", move);
      removeEventListener("pointerup", end);
    };
    addEventListener("pointermove", move);
    addEventListener("pointerup", end);
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const step = (this.view[1] - this.view[0]) / 8;
    /** @type {Record<string, () => void>} */
    const actions = {
      "+": () => this.zoom(1 / 2),
      "-": () => this.zoom(2),
      0: () => this.show([0, this.data.span]),
      ArrowLeft: () => this.pan(-step),
      ArrowRight: () => this.pan(step),
    };
    if (!Object.hasOwn(actions, event.key)) return;
    event.preventDefault();
    actions[event.key]();
  }

  /** @param {PointerEvent} event */
  tell(event) {
    if (event.buttons) return;
    const lane = Math.floor((event.clientY - this.canvas.getBoundingClientRect().top - LANE_RULER) / LANE_ROW);
    if (lane < 0 || lane >= this.data.lanes.length) return;
    const at = this.timeAt(event.clientX);
    const item = this.itemAt(lane, at);
    const { names, name, begin, duration } = this.data.items;
    const texts = this.data.texts;
    this.told.textContent = item >= 0
      ? fill(texts.event, { name: names[name[item]], time: format.time(duration[item]), from: format.time(begin[item]) })
      : this.binWords(lane, at);
  }

  /**
   * The shortest drawn event of a lane at a time, or −1.
   * @param {number} lane
   * @param {number} at
   */
  itemAt(lane, at) {
    const { first, longest, begin } = this.items[lane];
    const { duration } = this.data.items;
    let best = -1;
    for (let i = firstFrom(begin, at + 1) - 1; i >= 0 && begin[i] >= at - longest; i--) {
      const row = first + i;
      if (begin[i] + duration[row] >= at && (best < 0 || duration[row] < duration[best])) best = row;
    }
    return best;
  }

  /**
   * @param {number} lane
   * @param {number} at
   */
  binWords(lane, at) {
    const finest = this.data.levels.length - 1;
    const bins = this.data.levels[finest].bins;
    const value = this.levels[finest][lane][Math.min(bins - 1, Math.floor((at / this.data.span) * bins))];
    if (!value) return this.data.texts.nothing;
    const kind = Math.floor((value - 1) / this.data.shades);
    const paint = (this.data.lanes[lane].device ? this.data.work : this.data.host)[kind];
    const full = ((value - 1) % this.data.shades) + 1;
    return fill(this.data.texts.bin, { share: format.share(full / this.data.shades), paint: this.data.texts.paints[paint] });
  }

  draw() {
    if (this.pending) return;
    this.pending = requestAnimationFrame(() => {
      this.pending = 0;
      this.paint();
    });
  }

  paint() {
    const width = this.stage.clientWidth;
    if (!width) return;
    const height = LANE_RULER + LANE_ROW * this.data.lanes.length + 4;
    fit(this.canvas, width, height);
    const pen = penOf(this.canvas);
    const ratio = window.devicePixelRatio || 1;
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, width, height);
    pen.font = "12px system-ui, sans-serif";
    pen.textBaseline = "middle";
    this.ruler(pen, width);
    for (let lane = 0; lane < this.data.lanes.length; lane++) this.lane(pen, lane, width);
  }

  /**
   * @param {CanvasRenderingContext2D} pen
   * @param {number} width
   */
  ruler(pen, width) {
    const room = width - LANE_GUTTER;
    const x = (/** @type {number} */ at) => LANE_GUTTER + ((at - this.view[0]) / (this.view[1] - this.view[0])) * room;
    pen.fillStyle = this.ink ?? "#000";
    for (let k = 0; k <= 4; k++) {
      const at = this.view[0] + ((this.view[1] - this.view[0]) * k) / 4;
      pen.textAlign = k === 0 ? "left" : k === 4 ? "right" : "center";
      pen.fillText(format.time(at), x(at), LANE_RULER / 2 - 2);
    }
    pen.textAlign = "left";
    for (const [low, high] of this.data.windows) {
      if (high < this.view[0] || low > this.view[1]) continue;
      const from = Math.max(LANE_GUTTER, x(low));
      pen.fillRect(from, LANE_RULER - 4, Math.max(1, Math.min(width, x(high)) - from - 1), 2);
    }
  }

  /**
   * @param {CanvasRenderingContext2D} pen
   * @param {number} lane
   * @param {number} width
   */
  lane(pen, lane, width) {
    const top = LANE_RULER + LANE_ROW * lane;
    const room = width - LANE_GUTTER;
    const scale = room / (this.view[1] - this.view[0]);
    const colours = this.data.lanes[lane].device ? this.data.work : this.data.host;
    pen.globalAlpha = 1;
    pen.fillStyle = this.rule ?? "#ccc";
    pen.fillRect(0, top + LANE_ROW - 1, width, 1);
    this.bins(pen, lane, top, scale, colours);
    this.events(pen, lane, top, scale, colours, width);
    pen.globalAlpha = 1;
    pen.save();
    pen.beginPath();
    pen.rect(0, top, LANE_GUTTER - 6, LANE_ROW);
    pen.clip();
    pen.fillStyle = this.ink ?? "#000";
    pen.fillText(this.data.lanes[lane].title, 0, top + LANE_ROW / 2);
    pen.restore();
  }

  /**
   * Bins of the coarsest level that is finer than the screen, or else of the finest.
   * @param {CanvasRenderingContext2D} pen
   * @param {number} lane
   * @param {number} top
   * @param {number} scale pixels a nanosecond
   * @param {string[]} colours
   */
  bins(pen, lane, top, scale, colours) {
    const span = this.data.span;
    const fine = this.data.levels.findIndex((level) => (span / level.bins) * scale <= 1.5);
    const k = fine < 0 ? this.data.levels.length - 1 : fine;
    const { bins } = this.data.levels[k];
    const values = this.levels[k][lane];
    const per = span / bins;
    const last = Math.min(bins, Math.ceil(this.view[1] / per));
    for (let bin = Math.max(0, Math.floor(this.view[0] / per)); bin < last; ) {
      let end = bin + 1;
      while (end < last && values[end] === values[bin]) end++;
      const value = values[bin];
      if (value) {
        const shade = ((value - 1) % this.data.shades) + 1;
        pen.globalAlpha = 0.2 + (0.8 * shade) / this.data.shades;
        pen.fillStyle = this.paints[colours[Math.floor((value - 1) / this.data.shades)]];
        const from = Math.max(0, (bin * per - this.view[0]) * scale);
        const to = (end * per - this.view[0]) * scale;
        pen.fillRect(LANE_GUTTER + from, top + 3, Math.max(0.5, to - from), LANE_ROW - 7);
      }
      bin = end;
    }
  }

  /**
   * The events that are wide enough to be told apart, with their names.
   * @param {CanvasRenderingContext2D} pen
   * @param {number} lane
   * @param {number} top
   * @param {number} scale
   * @param {string[]} colours
   * @param {number} width
   */
  events(pen, lane, top, scale, colours, width) {
    const { first, longest, begin } = this.items[lane];
    const { duration, name, names, paint } = this.data.items;
    const end = firstFrom(begin, this.view[1]);
    for (let i = firstFrom(begin, this.view[0] - longest); i < end; i++) {
      const row = first + i;
      const wide = duration[row] * scale;
      if (wide < 3) continue;
      const from = LANE_GUTTER + Math.max(0, (begin[i] - this.view[0]) * scale);
      const to = Math.min(width, LANE_GUTTER + (begin[i] + duration[row] - this.view[0]) * scale);
      if (to <= from) continue;
      pen.globalAlpha = 1;
      pen.fillStyle = this.paints[colours[paint[row]]];
      pen.fillRect(from, top + 3, to - from - 0.5, LANE_ROW - 7);
      if (to - from < 40) continue;
      pen.save();
      pen.beginPath();
      pen.rect(from, top, to - from - 3, LANE_ROW);
      pen.clip();
      pen.fillStyle = this.inkOn(colours[paint[row]]);
      pen.fillText(names[name[row]], from + 3, top + LANE_ROW / 2);
      pen.restore();
    }
  }

  /** @param {string} paint */
  inkOn(paint) {
    return getComputedStyle(document.documentElement).getPropertyValue(`--k-${paint}-ink`) || "#fff";
  }
}
