/* The timeline: a canvas that draws only what can be seen. Zoom, pan, search, keyboard, overview. */

/**
 * The words of the charts. Braces are filled in here. `kinds` and `stages` go from the names in the data to words.
 * @typedef {object} ChartTexts
 * @property {string} cycle
 * @property {string} python
 * @property {string} stage
 * @property {string} module
 * @property {string} kind
 * @property {string} time
 * @property {string} share
 * @property {string} starts
 * @property {string} flops
 * @property {string} bytes
 * @property {string} found
 * @property {string} frame
 * @property {string} prefill
 * @property {string} step
 * @property {string} steps
 * @property {string} folded
 * @property {Record<string, string>} kinds
 * @property {Record<string, string>} stages
 */
/** @typedef {Record<string, string>} Families from kinds of operations to classes of colour */
/** @typedef {"happened" | "heaviest"} ArrangementName */
/** @typedef {{ s: number, number: string }} Flag the span that a finding is about, and the finding's number */
/** @typedef {CanvasRenderingContext2D} Pen */
/**
 * @typedef {object} Colours
 * @property {string} ink
 * @property {string} soft
 * @property {string} rule
 * @property {string} paper
 * @property {string} frame
 * @property {string} accent
 * @property {Record<string, string>} family
 * @property {Record<string, string>} familyInk
 */

const ROW = 21;
const RULER = 24;
const OVERVIEW_ROW = 3;
const ZOOM_STEP = 1.5;

class Timeline {
  /**
   * `root` holds the parts that the template made.
   * @param {HTMLElement} root
   * @param {Spans} spans
   * @param {ChartTexts} texts
   * @param {Families} families
   */
  constructor(root, spans, texts, families) {
    this.root = root;
    this.spans = spans;
    this.texts = texts;
    this.families = families;
    this.canvas = partOf(root, "canvas", HTMLCanvasElement);
    this.overview = partOf(root, "overview", HTMLCanvasElement);
    this.search = partOf(root, "search", HTMLInputElement);
    this.found = partOf(root, "found", HTMLElement);
    this.tip = partOf(root, "tip", HTMLElement);
    this.live = partOf(root, "live", HTMLElement);
    this.stageElement = partOf(root, "stage", HTMLElement);
    const happened = spans.asItHappened();
    /** @type {Record<ArrangementName, Arrangement>} */
    this.arrangements = { happened, heaviest: spans.heaviestFirst(happened) };
    this.arrangement = happened;
    this.view = keptInside(0, happened.total, happened.total);
    this.selected = -1;
    this.hovered = -1;
    this.pointerX = 0; // from the left of the chart
    /** @type {Flag | null} */
    this.flagged = null;
    /** @type {HTMLElement | null} */
    this.cameFrom = null; // the link that led here
    this.query = "";
    /** @type {Uint8Array | null} */
    this.matches = null; // of every rectangle whether it is what is searched for; null where nothing is
    this.bright = -1; // the rectangle of the step that is searched for by its name
    this.pending = 0;
    this.tipOf = "";
    this.colours = this.coloursNow();
    this.font = "";
    /** @type {CanvasPattern | null} */
    this.hatch = null;
    this.use("happened");
    this.listen();
    this.readColours();
    new ResizeObserver(() => this.resize()).observe(this.stageElement);
    this.resize();
  }

  /* ---- state ---- */

  /** @param {ArrangementName} name */
  use(name) {
    this.arrangement = this.arrangements[name];
    this.root.dataset.arrangement = name;
    this.view = { start: 0, end: this.arrangement.total };
    this.selected = -1;
    this.hovered = -1;
    this.find(this.query);
  }

  /**
   * Show [start, end] as far as it lies in the cycle.
   * @param {number} start
   * @param {number} end
   */
  show(start, end) {
    this.view = keptInside(start, end, this.arrangement.total);
    this.schedule();
  }

  /**
   * @param {number} factor
   * @param {number} fixed
   */
  zoom(factor, fixed) {
    const { start, end } = zoomed(this.view, factor, fixed);
    this.show(start, end);
  }

  /** @param {number} share */
  pan(share) {
    const by = (this.view.end - this.view.start) * share;
    this.show(this.view.start + by, this.view.end + by);
  }

  /** @param {number} i */
  zoomTo(i) {
    const a = this.arrangement;
    this.show(a.start[i], a.end(i));
  }

  /** @param {number} i */
  select(i, reveal = true) {
    if (i < 0) return;
    this.selected = i;
    this.hovered = -1;
    if (reveal) this.reveal(i);
    this.live.textContent = this.describe(i);
    this.schedule();
  }

  /**
   * Move the view the least that shows rectangle `i`.
   * @param {number} i
   */
  reveal(i) {
    const a = this.arrangement;
    const { start, end } = this.view;
    const width = end - start;
    if (a.end(i) <= start || a.start[i] >= end) {
      const middle = a.start[i] + a.duration[i] / 2;
      this.show(middle - width / 2, middle + width / 2);
    }
    const y = RULER + a.depth[i] * ROW;
    if (y < this.stageElement.scrollTop || y + ROW > this.stageElement.scrollTop + this.stageElement.clientHeight) {
      this.stageElement.scrollTop = Math.max(0, y - 2 * ROW);
    }
  }

  /**
   * Show span `s` as it happened, with as much again to its left and right, and give the chart the keyboard.
   * @param {number} s
   */
  goTo(s) {
    this.asItHappened();
    const a = this.arrangement;
    this.show(a.start[s] - a.duration[s], a.end(s) + a.duration[s]);
    this.select(s);
    this.takeOver();
  }

  /**
   * Show span `s`, mark it as what finding `number` is about, and remember the link that led here.
   * @param {number} s
   * @param {string} number
   * @param {HTMLElement} link
   */
  flag(s, number, link) {
    this.flagged = { s, number };
    this.cameFrom = link;
    this.goTo(s);
  }

  /** Give the keyboard back to the link that led here, if one did; else let go of the selection. */
  leave() {
    this.selected = -1;
    this.schedule();
    this.cameFrom?.focus();
    this.cameFrom = null;
  }

  /** Come into view and take the keyboard. */
  takeOver() {
    this.stageElement.focus({ preventScroll: true });
    this.root.scrollIntoView({ block: "nearest" });
  }

  /**
   * Show step `k` over the whole width; nothing where it is not drawn.
   * @param {number} k
   */
  goToStep(k) {
    for (const [s, number] of this.spans.steps) {
      if (number !== k) continue;
      this.asItHappened();
      this.select(s);
      this.zoomTo(s);
      return true;
    }
    return false;
  }

  /**
   * The step that begins next after, or last before, what is selected or seen.
   * @param {number} by
   */
  stepBy(by) {
    const a = this.arrangements.happened;
    const here = this.root.dataset.arrangement === "happened";
    const { start, end } = this.view;
    let at = here && end - start < a.total ? start : by > 0 ? -1 : a.total;
    if (here && this.selected > 0) at = a.start[this.selected];
    const steps = [...this.spans.steps.keys()];
    const next = by > 0 ? steps.find((s) => a.start[s] > at) : steps.findLast((s) => a.start[s] < at);
    const number = next === undefined ? undefined : this.spans.steps.get(next);
    if (number !== undefined) this.goToStep(number);
  }

  asItHappened() {
    if (this.root.dataset.arrangement === "happened") return;
    the(this.root, 'input[value="happened"]', HTMLInputElement).checked = true;
    this.use("happened");
  }

  /** @param {string} query */
  find(query) {
    this.query = query;
    const wanted = query.trim().toLowerCase();
    const a = this.arrangement;
    this.matches = null;
    this.bright = -1;
    let found = 0;
    let time = 0;
    if (wanted) {
      const step = this.stepCalled(wanted);
      this.bright = step < 0 ? -1 : a.span.indexOf(step);
      const perSpan = new Map(step < 0 ? [] : Array.from(a.span, (s) => [s, s === step]));
      const matches = new Uint8Array(a.size);
      for (let i = 0; i < a.size; i++) {
        const s = a.span[i];
        if (!perSpan.has(s)) perSpan.set(s, this.searchText(s).includes(wanted));
        matches[i] = perSpan.get(s) ? 1 : 0;
        found += matches[i] * a.count[i];
      }
      this.matches = matches;
      time = outermostTime(a, matches);
    }
    this.found.textContent = wanted
      ? fill(this.texts.found, { count: found, time: format.time(time), share: format.share(a.total ? time / a.total : 0) })
      : "";
    this.root.dataset.found = String(found);
    this.schedule();
  }

  /** @param {number} s */
  searchText(s) {
    const step = this.spans.steps.has(s) ? `step ${this.spans.steps.get(s)} ${this.spans.name(s)}` : "";
    return `${this.title(s)} ${step} ${this.spans.module(s)} ${this.kindName(s)} ${this.spans.kind(s)}`.toLowerCase();
  }

  /**
   * Whether rectangle `i` lies in the step that was searched for by its name, whose inside stays to be read.
   * @param {number} i
   */
  isBright(i) {
    const a = this.arrangement;
    return this.bright >= 0 && a.depth[i] > a.depth[this.bright] && a.start[i] >= a.start[this.bright] && a.end(i) <= a.end(this.bright);
  }

  /**
   * The span of the step that is called exactly so, or −1: "step 1" is not step 17.
   * @param {string} wanted
   */
  stepCalled(wanted) {
    for (const [s, k] of this.spans.steps) {
      if (wanted === this.stepTitle(k).toLowerCase() || wanted === `step ${k}`) return s;
    }
    return -1;
  }

  /** @param {number} by */
  nextMatch(by) {
    const a = this.arrangement;
    if (!this.matches) return;
    for (let step = 1; step <= a.size; step++) {
      const i = (((this.selected + by * step) % a.size) + a.size) % a.size;
      if (!this.matches[i]) continue;
      this.select(i);
      return;
    }
  }

  /* ---- words ---- */

  /** @param {number} s */
  title(s) {
    const kind = this.spans.kind(s);
    if (kind === "python") return this.texts.python;
    if (kind !== "frame") return this.spans.name(s);
    if (this.spans.depth(s) === 0) return this.texts.cycle;
    const step = this.spans.steps.get(s);
    return step === undefined ? this.frameTitle(s) : this.stepTitle(step);
  }

  /** @param {number} k */
  stepTitle(k) { return k ? fill(this.texts.step, { k }) : this.texts.prefill; }

  /**
   * A class, and the name that it has in its parent where that says more: `BertLayer 3`, `Linear query`.
   * @param {number} s
   */
  frameTitle(s, numbered = true) {
    const name = this.spans.name(s);
    const own = this.spans.module(s).split(".").at(-1) ?? "";
    if (/^\d+$/.test(own)) return numbered ? `${name} ${own}` : name;
    return name.toLowerCase().includes(own.toLowerCase()) ? name : `${name} ${own}`;
  }

  /** @param {number} i */
  label(i) {
    const a = this.arrangement;
    const s = a.span[i];
    if (a.count[i] === 1) return this.title(s);
    if (this.spans.steps.has(s)) return `${this.texts.steps} × ${a.count[i]}`;
    const title = this.spans.kind(s) === "frame" ? this.frameTitle(s, false) : this.title(s);
    return `${title} × ${a.count[i]}`;
  }

  /** @param {number} s */
  kindName(s) {
    return this.texts.kinds[this.spans.kind(s)] ?? this.spans.kind(s);
  }

  /** @param {number} i */
  facts(i) {
    const a = this.arrangement;
    const s = a.span[i];
    const t = this.texts;
    /** @type {[string, string][]} */
    const rows = [];
    const stage = this.spans.stage(s);
    const layer = a.count[i] === 1 && this.spans.layer(s) >= 0 ? ` ${this.spans.layer(s)}` : "";
    if (stage) rows.push([t.stage, (t.stages[stage] ?? stage) + layer]);
    const module = this.spans.module(s);
    if (module) rows.push([t.module, a.count[i] === 1 ? module : module.replace(/\d+/g, "*")]);
    if (this.spans.steps.has(s)) rows.push([t.frame, this.spans.name(s)]);
    else rows.push([t.kind, this.kindName(s)]);
    if (this.spans.steps.has(s) && !a.children[i].length) rows.push([t.kind, t.folded]);
    rows.push([t.time, format.time(a.duration[i])]);
    rows.push([t.share, format.share(a.total ? a.duration[i] / a.total : 0)]);
    if (this.root.dataset.arrangement === "happened") rows.push([t.starts, format.time(a.start[i])]);
    const seconds = a.duration[i] / 1e9;
    if (a.flops[i]) rows.push([t.flops, `${format.flops(a.flops[i])} · ${format.flopRate(a.flops[i] / seconds)}`]);
    if (a.bytes[i]) rows.push([t.bytes, `${format.data(a.bytes[i])} · ${format.bandwidth(a.bytes[i] / seconds)}`]);
    return rows;
  }

  /** @param {number} i */
  describe(i) {
    return [this.label(i), ...this.facts(i).map(([name, value]) => `${name} ${value}`)].join(", ");
  }

  /* ---- drawing ---- */

  /**
   * The colours of the style sheet in the theme of the moment.
   * @returns {Colours}
   */
  coloursNow() {
    const style = getComputedStyle(document.documentElement);
    /** @param {string} name */
    const value = (name) => style.getPropertyValue(name).trim();
    /** @type {Colours} */
    const colours = { ink: value("--ink"), soft: value("--soft"), rule: value("--rule"), paper: value("--paper"),
      frame: value("--frame"), accent: value("--accent"), family: {}, familyInk: {} };
    for (const family of new Set(Object.values(this.families))) {
      colours.family[family] = value(`--k-${family}`);
      colours.familyInk[family] = value(`--k-${family}-ink`);
    }
    return colours;
  }

  readColours() {
    this.colours = this.coloursNow();
    this.font = `12px ${getComputedStyle(document.body).fontFamily}`;
    this.hatch = null;
    this.schedule();
  }

  /**
   * Python time is hatched, so that it is told apart without colour.
   * @param {Pen} context
   */
  hatchPattern(context) {
    const tile = document.createElement("canvas");
    tile.width = tile.height = 6;
    const pen = penOf(tile);
    pen.fillStyle = this.colours.family.python;
    pen.fillRect(0, 0, 6, 6);
    pen.strokeStyle = this.colours.paper;
    pen.lineWidth = 1.4;
    pen.beginPath();
    for (const x of [-6, 0, 6]) { pen.moveTo(x, 6); pen.lineTo(x + 6, 0); }
    pen.stroke();
    return context.createPattern(tile, "repeat");
  }

  resize() {
    const width = this.stageElement.clientWidth;
    const depth = Math.max(1, this.arrangements.happened.tracks.length, this.arrangements.heaviest.tracks.length);
    fit(this.canvas, width, RULER + depth * ROW + 4);
    fit(this.overview, width, Math.min(depth, 16) * OVERVIEW_ROW + 6);
    this.schedule();
  }

  schedule() {
    if (this.pending) return;
    this.pending = requestAnimationFrame(() => {
      this.pending = 0;
      this.draw();
    });
  }

  draw() {
    const context = penOf(this.canvas);
    const width = this.canvas.clientWidth;
    const height = this.canvas.clientHeight;
    if (!width) return;
    const ratio = this.canvas.width / width;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    this.hatch ??= this.hatchPattern(context);
    context.font = this.font;
    context.textBaseline = "middle";
    const { start, end } = this.view;
    this.drawRuler(context, width, height);
    let visited = 0;
    this.arrangement.tracks.forEach((track, depth) => {
      visited += this.drawTrack(context, track, start, end, width, RULER + depth * ROW, ROW - 1, true);
    });
    this.drawFlag(context, width, height);
    this.drawMark(context, this.selected, width, 2);
    if (this.hovered !== this.selected) this.drawMark(context, this.hovered, width, 1);
    this.drawOverview();
    this.placeTip(width);
    // What the tests look at, and whoever wonders why a page is slow.
    Object.assign(this.root.dataset, { visited: String(visited), start: String(start), end: String(end), selected: String(this.selected), flagged: String(this.flagged?.s ?? -1) });
  }

  /**
   * Draw the visible part of one track and return how many rectangles were looked at: at most one for each pixel.
   * @param {Pen} context
   * @param {Int32Array} track
   * @param {number} start
   * @param {number} end
   * @param {number} width
   * @param {number} y
   * @param {number} height
   * @param {boolean} labelled
   */
  drawTrack(context, track, start, end, width, y, height, labelled) {
    const a = this.arrangement;
    const scale = width / Math.max(end - start, 1e-9);
    let visited = 0;
    for (let k = firstAbove(track, (i) => a.end(i), start); k < track.length && a.start[track[k]] < end; visited++) {
      const i = track[k];
      const x0 = (a.start[i] - start) * scale;
      const x1 = (a.end(i) - start) * scale;
      const faded = this.matches !== null && !this.matches[i] && !this.isBright(i);
      if (x1 - x0 < 1) {
        // Everything that ends inside this pixel is one mark, in the colour of what comes first.
        const pixel = Math.floor(x0);
        const next = firstAbove(track, (j) => a.end(j), start + (pixel + 1) / scale);
        this.fillRectangle(context, i, pixel, y, 1, height, faded);
        k = Math.max(next, k + 1);
        continue;
      }
      const left = Math.max(x0, -2);
      const right = Math.min(x1, width + 2);
      const gap = right - left > 3 ? 0.75 : 0; // a hairline between neighbours
      this.fillRectangle(context, i, left, y, right - left - gap, height, faded);
      if (labelled && right - left > 28) this.drawLabel(context, i, Math.max(left, 0), y, Math.min(right, width) - Math.max(left, 0), height, faded);
      k++;
    }
    return visited;
  }

  /**
   * @param {Pen} context
   * @param {number} i
   * @param {number} x
   * @param {number} y
   * @param {number} width
   * @param {number} height
   * @param {boolean} faded
   */
  fillRectangle(context, i, x, y, width, height, faded) {
    const kind = this.spans.kind(this.arrangement.span[i]);
    context.globalAlpha = faded ? 0.18 : 1;
    if (kind === "frame") context.fillStyle = this.colours.frame;
    else if (kind === "python" && width > 2 && this.hatch) context.fillStyle = this.hatch;
    else context.fillStyle = this.colours.family[this.families[kind] ?? "other"];
    context.fillRect(x, y, width, height);
    if (this.matches?.[i]) {
      context.strokeStyle = this.colours.ink;
      context.lineWidth = 1.5;
      if (width > 3) context.strokeRect(x + 0.75, y + 0.75, width - 1.5, height - 1.5);
      else context.fillRect(x, y, Math.max(width, 1), height);
    }
    context.globalAlpha = 1;
  }

  /**
   * @param {Pen} context
   * @param {number} i
   * @param {number} x
   * @param {number} y
   * @param {number} width
   * @param {number} height
   * @param {boolean} faded
   */
  drawLabel(context, i, x, y, width, height, faded) {
    const kind = this.spans.kind(this.arrangement.span[i]);
    if (kind === "python") return; // the hatching says it; the tip names it
    const text = shorten(context, this.label(i), width - 10);
    if (!text) return;
    context.globalAlpha = faded ? 0.45 : 1;
    context.fillStyle = kind === "frame" ? this.colours.ink : this.colours.familyInk[this.families[kind] ?? "other"];
    if (faded) context.fillStyle = this.colours.ink;
    context.fillText(text, x + 5, y + height / 2 + 0.5);
    context.globalAlpha = 1;
  }

  /**
   * @param {Pen} context
   * @param {number} i
   * @param {number} width
   * @param {number} weight
   */
  drawMark(context, i, width, weight) {
    if (i < 0) return;
    const a = this.arrangement;
    const scale = width / (this.view.end - this.view.start);
    const x0 = Math.max((a.start[i] - this.view.start) * scale, -4);
    const x1 = Math.min((a.end(i) - this.view.start) * scale, width + 4);
    if (x1 < 0 || x0 > width) return;
    const y = RULER + a.depth[i] * ROW;
    context.lineWidth = weight + 2;
    context.strokeStyle = this.colours.paper;
    context.strokeRect(x0, y, Math.max(x1 - x0, 2), ROW - 1);
    context.lineWidth = weight;
    context.strokeStyle = this.colours.ink;
    context.strokeRect(x0, y, Math.max(x1 - x0, 2), ROW - 1);
  }

  /**
   * The span of a finding: a band from top to bottom, so that it is seen however short it is, and its number.
   * @param {Pen} context
   * @param {number} width
   * @param {number} height
   */
  drawFlag(context, width, height) {
    const number = this.flagNumber(context, width);
    if (!this.flagged || !number) return;
    const [x0, x1] = this.flagEnds(this.flagged, width, this.view.start, this.view.end);
    context.fillStyle = this.colours.accent;
    context.globalAlpha = 0.14;
    context.fillRect(x0, 0, x1 - x0, height);
    context.globalAlpha = 1;
    context.fillRect(x0, 0, 1.5, height);
    context.fillRect(x1 - 1.5, 0, 1.5, height);
    const [left, right] = number;
    context.fillRect(left, 0, right - left, 17);
    context.fillStyle = this.colours.paper;
    context.fillText(this.flagged.number, left + 5, 9);
  }

  /**
   * Where the number of the flag begins and ends, or null where no flag is in view.
   * @param {Pen} context
   * @param {number} width
   * @returns {[number, number] | null}
   */
  flagNumber(context, width) {
    if (!this.flagged || this.arrangement !== this.arrangements.happened) return null;
    const [x0, x1] = this.flagEnds(this.flagged, width, this.view.start, this.view.end);
    if (x1 < 0 || x0 > width) return null;
    const wide = context.measureText(this.flagged.number).width + 10;
    const left = Math.min(Math.max((Math.max(x0, 0) + Math.min(x1, width) - wide) / 2, 0), width - wide);
    return [left, left + wide];
  }

  /**
   * @param {Flag} flag
   * @param {number} width
   * @param {number} start
   * @param {number} end
   * @returns {[number, number]}
   */
  flagEnds({ s }, width, start, end) {
    const a = this.arrangements.happened;
    const scale = width / Math.max(end - start, 1e-9);
    const x0 = (a.start[s] - start) * scale;
    return [x0, Math.max((a.end(s) - start) * scale, x0 + 3)];
  }

  /**
   * @param {Pen} context
   * @param {number} width
   * @param {number} height
   */
  drawRuler(context, width, height) {
    const { start, end } = this.view;
    const step = niceStep(((end - start) / Math.max(width, 1)) * 96);
    const scale = width / (end - start);
    context.fillStyle = this.colours.soft;
    context.strokeStyle = this.colours.rule;
    context.lineWidth = 1;
    const flag = this.flagNumber(context, width);
    for (let mark = Math.ceil(start / step) * step; mark <= end; mark += step) {
      const x = Math.round((mark - start) * scale) + 0.5;
      context.beginPath();
      context.moveTo(x, RULER - 6);
      context.lineTo(x, height);
      context.stroke();
      const text = format.tick(mark, step, end);
      const wide = context.measureText(text).width;
      const left = Math.min(Math.max(x - wide / 2, 0), width - wide);
      if (flag && left < flag[1] + 4 && left + wide > flag[0] - 4) continue; // the number of a finding stands there
      context.fillText(text, left, RULER / 2 - 2);
    }
  }

  drawOverview() {
    const context = penOf(this.overview);
    const width = this.overview.clientWidth;
    const height = this.overview.clientHeight;
    const ratio = this.overview.width / width;
    const a = this.arrangement;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    a.tracks.slice(0, 16).forEach((track, depth) => {
      this.drawTrack(context, track, 0, a.total, width, 3 + depth * OVERVIEW_ROW, OVERVIEW_ROW - 0.5, false);
    });
    const x0 = (this.view.start / a.total) * width;
    const x1 = (this.view.end / a.total) * width;
    context.globalAlpha = 0.72;
    context.fillStyle = this.colours.paper;
    context.fillRect(0, 0, x0, height);
    context.fillRect(x1, 0, width - x1, height);
    context.globalAlpha = 1;
    if (this.flagged && a === this.arrangements.happened) {
      const [from, to] = this.flagEnds(this.flagged, width, 0, a.total);
      context.fillStyle = this.colours.accent;
      context.globalAlpha = 0.45;
      context.fillRect(from, 0, to - from, height);
      context.globalAlpha = 1;
    }
    context.strokeStyle = this.colours.accent;
    context.lineWidth = 1.5;
    context.strokeRect(Math.max(x0, 0.75), 0.75, Math.max(Math.min(x1, width - 0.75) - Math.max(x0, 0.75), 2), height - 1.5);
  }

  /** @param {number} width */
  placeTip(width) {
    const focused = document.activeElement === this.stageElement;
    const i = this.hovered >= 0 ? this.hovered : focused ? this.selected : -1;
    this.tip.hidden = i < 0;
    if (i < 0) return;
    if (this.tipOf !== `${this.root.dataset.arrangement}:${i}`) {
      this.tipOf = `${this.root.dataset.arrangement}:${i}`;
      const list = document.createElement("dl");
      for (const [name, value] of this.facts(i)) list.append(element("dt", name), element("dd", value));
      this.tip.replaceChildren(element("strong", this.label(i)), list);
    }
    const a = this.arrangement;
    const scale = width / (this.view.end - this.view.start);
    const anchor = this.hovered >= 0 ? this.pointerX : Math.max(0, (a.start[i] - this.view.start) * scale);
    const y = RULER + (a.depth[i] + 1) * ROW + 6 - this.stageElement.scrollTop;
    const left = Math.min(Math.max(0, anchor + 8), Math.max(0, width - this.tip.offsetWidth));
    this.tip.style.transform = `translate(${Math.round(left)}px, ${Math.round(this.stageElement.offsetTop + y)}px)`;
  }

  /* ---- hands ---- */

  /**
   * The time below a place across the screen.
   * @param {number} clientX
   */
  timeAt(clientX) {
    const box = this.canvas.getBoundingClientRect();
    return this.view.start + ((clientX - box.left) / box.width) * (this.view.end - this.view.start);
  }

  /** @param {MouseEvent} event */
  rectangleAt(event) {
    const box = this.canvas.getBoundingClientRect();
    return this.arrangement.at(this.timeAt(event.clientX), Math.floor((event.clientY - box.top - RULER) / ROW));
  }

  listen() {
    const stage = this.stageElement;
    stage.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    this.listenToPointers(stage);
    stage.addEventListener("dblclick", (event) => {
      const i = this.rectangleAt(event);
      if (i >= 0) this.zoomTo(i);
    });
    stage.addEventListener("keydown", (event) => this.key(event));
    for (const type of ["focus", "blur", "scroll"]) stage.addEventListener(type, () => this.schedule());
    this.listenToOverview();
    this.listenToTools();
  }

  /** @param {WheelEvent} event */
  wheel(event) {
    // Until the chart is clicked or tabbed to, the wheel scrolls the page, as the reader expects.
    const wanted = event.ctrlKey || event.metaKey || document.activeElement === this.stageElement;
    const sideways = Math.abs(event.deltaX) > Math.abs(event.deltaY) || event.shiftKey;
    if (!wanted && !sideways) return;
    event.preventDefault();
    const by = event.deltaMode === 1 ? 16 : 1;
    if (sideways) this.pan((by * (event.deltaX || event.deltaY)) / this.canvas.clientWidth);
    else this.zoom(Math.exp((-by * event.deltaY) / 300), this.timeAt(event.clientX));
  }

  /** @param {HTMLElement} stage */
  listenToPointers(stage) {
    /** @type {Map<number, number>} */
    const pointers = new Map(); // those that are down, and where
    let moved = 0;
    stage.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      pointers.set(event.pointerId, event.clientX);
      moved = 0;
      stage.focus({ preventScroll: true });
    });
    stage.addEventListener("pointermove", (event) => {
      const box = this.canvas.getBoundingClientRect();
      this.pointerX = event.clientX - box.left;
      const before = pointers.get(event.pointerId);
      if (before !== undefined) {
        const others = [...pointers].filter(([id]) => id !== event.pointerId).map(([, x]) => x);
        if (others.length) {
          const spread = Math.abs(event.clientX - others[0]) / Math.max(1, Math.abs(before - others[0]));
          this.zoom(spread, this.timeAt((event.clientX + others[0]) / 2));
        } else if (moved > 3 || Math.abs(event.clientX - before) > 3) {
          if (!stage.hasPointerCapture(event.pointerId)) stage.setPointerCapture(event.pointerId);
          this.pan((before - event.clientX) / box.width);
        }
        moved += Math.abs(event.clientX - before);
        if (moved > 3) pointers.set(event.pointerId, event.clientX);
        return;
      }
      const i = this.rectangleAt(event);
      if (i !== this.hovered || i >= 0) {
        this.hovered = i;
        this.schedule();
      }
    });
    /** @param {PointerEvent} event */
    const release = (event) => {
      if (pointers.delete(event.pointerId) && event.type === "pointerup" && moved <= 3) this.select(this.rectangleAt(event), false);
    };
    stage.addEventListener("pointerup", release);
    stage.addEventListener("pointercancel", release);
    stage.addEventListener("pointerleave", () => {
      this.hovered = -1;
      this.schedule();
    });
  }

  listenToOverview() {
    /** @param {PointerEvent} event */
    const toOverview = (event) => {
      const box = this.overview.getBoundingClientRect();
      const middle = ((event.clientX - box.left) / box.width) * this.arrangement.total;
      const width = this.view.end - this.view.start;
      this.show(middle - width / 2, middle + width / 2);
    };
    this.overview.addEventListener("pointerdown", (event) => {
      this.overview.setPointerCapture(event.pointerId);
      toOverview(event);
    });
    this.overview.addEventListener("pointermove", (event) => {
      if (this.overview.hasPointerCapture(event.pointerId)) toOverview(event);
    });
  }

  listenToTools() {
    const middle = () => (this.view.start + this.view.end) / 2;
    /** @type {Record<string, () => void>} */
    const actions = {
      in: () => this.zoom(ZOOM_STEP, middle()),
      out: () => this.zoom(1 / ZOOM_STEP, middle()),
      reset: () => this.show(0, this.arrangement.total),
    };
    if (this.spans.steps.size) Object.assign(actions, { "step-on": () => this.stepBy(1), "step-back": () => this.stepBy(-1) });
    for (const [name, action] of Object.entries(actions)) partOf(this.root, name, HTMLElement).addEventListener("click", action);
    for (const name of /** @type {const} */ (["happened", "heaviest"])) {
      the(this.root, `input[value="${name}"]`, HTMLInputElement).addEventListener("change", () => this.use(name));
    }
    const { search } = this;
    search.addEventListener("input", () => this.find(search.value));
    search.addEventListener("keydown", (event) => {
      if (event.key === "Enter") this.nextMatch(event.shiftKey ? -1 : 1);
      if (event.key === "Escape" && search.value) {
        search.value = "";
        this.find("");
      }
    });
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const a = this.arrangement;
    const i = this.selected;
    const fixed = i >= 0 ? a.start[i] + a.duration[i] / 2 : (this.view.start + this.view.end) / 2;
    const first = () => a.at((this.view.start + this.view.end) / 2, 0);
    /** @type {Record<string, () => void>} */
    const actions = {
      ArrowRight: () => (event.shiftKey ? this.pan(0.2) : this.select(i < 0 ? first() : a.neighbour(i, 1))),
      ArrowLeft: () => (event.shiftKey ? this.pan(-0.2) : this.select(i < 0 ? first() : a.neighbour(i, -1))),
      ArrowDown: () => this.select(i < 0 ? first() : a.heaviestChild(i)),
      ArrowUp: () => this.select(i < 0 ? first() : a.parent[i]),
      Enter: () => {
        if (i >= 0) this.zoomTo(i);
      },
      "+": () => this.zoom(ZOOM_STEP, fixed),
      "=": () => this.zoom(ZOOM_STEP, fixed),
      "-": () => this.zoom(1 / ZOOM_STEP, fixed),
      0: () => this.show(0, a.total),
      Home: () => this.show(0, this.view.end - this.view.start),
      End: () => this.show(a.total, a.total + this.view.end - this.view.start),
      n: () => this.nextMatch(1),
      N: () => this.nextMatch(-1),
      s: () => this.stepBy(1),
      S: () => this.stepBy(-1),
      "/": () => this.search.focus(),
      Escape: () => this.leave(),
    };
    if (!Object.hasOwn(actions, event.key)) return;
    event.preventDefault();
    actions[event.key]();
  }
}

/**
 * Time of the rectangles that match, of those inside each other the outermost: a match inside a match is the same time again.
 * @param {Arrangement} a
 * @param {Uint8Array} matches
 */
function outermostTime(a, matches) {
  let time = 0;
  for (let i = 0; i < a.size; i++) {
    let above = a.parent[i];
    while (above >= 0 && !matches[above]) above = a.parent[above];
    if (matches[i] && above < 0) time += a.duration[i];
  }
  return time;
}
