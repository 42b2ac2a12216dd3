/* Spans as columns, in the two arrangements of the chart: as they happened, and added up with the heaviest first. */

/**
 * The spans as report/drawings/spans.py writes them: a text is the number of its place in `texts`, `after` is the time from
 * the start before, a cost of −1 is none. `steps` are the spans of calls of the model with the numbers of their steps.
 * @typedef {object} Columns
 * @property {string[]} texts
 * @property {Cost[]} costs
 * @property {number[]} name
 * @property {number[]} kind
 * @property {number[]} stage
 * @property {number[]} module
 * @property {number[]} layer
 * @property {number[]} after
 * @property {number[]} duration
 * @property {number[]} depth
 * @property {number[]} cost
 * @property {[number, number][]} steps
 */
/** @typedef {[flops: number, elementwise: number, read: number, written: number]} Cost */
/** @typedef {{ start: number, end: number }} TimeView what of the cycle is seen, in ns */
/** @typedef {{ members: number[], start: number, depth: number, parent: number, duration: number }} Merged */

const LEAST_VIEW_NS = 20;

/**
 * [start, end] kept inside a cycle of `total` and not narrower than a few nanoseconds.
 * @param {number} start
 * @param {number} end
 * @param {number} total
 * @returns {TimeView}
 */
function keptInside(start, end, total) {
  const width = Math.min(Math.max(end - start, Math.min(LEAST_VIEW_NS, total)), total);
  const from = Math.min(Math.max(start, 0), total - width);
  return { start: from, end: from + width };
}

/**
 * `view` with `factor` as much to see of each nanosecond; what is at `fixed` stays where it is.
 * @param {TimeView} view
 * @param {number} factor
 * @param {number} fixed
 * @returns {TimeView}
 */
function zoomed({ start, end }, factor, fixed) {
  return { start: fixed - (fixed - start) / factor, end: fixed + (end - fixed) / factor };
}

/**
 * Distance between marks: 1, 2 or 5 times a power of ten, at least `least`.
 * @param {number} least
 */
function niceStep(least) {
  const power = 10 ** Math.floor(Math.log10(Math.max(least, 1e-9)));
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= least) ?? 10 * power;
}

/**
 * First position in `track` whose key is above `bound`; keys ascend along a track.
 * @param {Int32Array} track
 * @param {(i: number) => number} key
 * @param {number} bound
 */
function firstAbove(track, key, bound) {
  let low = 0;
  let high = track.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (key(track[middle]) > bound) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Rectangles in time and depth. Those of one depth do not overlap, so that a track is sorted by start and by end. */
class Arrangement {
  /** @param {number} size */
  constructor(size) {
    this.size = size;
    this.start = new Float64Array(size);
    this.duration = new Float64Array(size);
    this.depth = new Int32Array(size);
    this.parent = new Int32Array(size).fill(-1);
    this.span = new Int32Array(size); // the span that lends its name and kind
    this.count = new Int32Array(size).fill(1);
    this.flops = new Float64Array(size);
    this.bytes = new Float64Array(size);
    /** @type {number[][]} */
    this.children = Array.from({ length: size }, () => []);
    /** @type {Int32Array[]} */
    this.tracks = []; // the rectangles of each depth in order of time
    this.total = 0;
  }

  /** @param {number} i */
  end(i) {
    return this.start[i] + this.duration[i];
  }

  /** Fill in what follows from start, duration, depth and parent. */
  finish() {
    /** @type {number[][]} */
    const tracks = [];
    for (let i = 0; i < this.size; i++) {
      (tracks[this.depth[i]] ??= []).push(i);
      if (this.parent[i] >= 0) this.children[this.parent[i]].push(i);
      this.total = Math.max(this.total, this.end(i));
    }
    this.tracks = Array.from(tracks, (track) => Int32Array.from(track ?? []).sort((a, b) => this.start[a] - this.start[b]));
    return this;
  }

  /**
   * The rectangle at a time and depth, or −1.
   * @param {number} time
   * @param {number} depth
   */
  at(time, depth) {
    const track = this.tracks[depth];
    if (!track) return -1;
    const k = firstAbove(track, (i) => this.end(i), time);
    return k < track.length && this.start[track[k]] <= time ? track[k] : -1;
  }

  /**
   * The longest of what lies inside, which is where a reader wants to go; −1 where there is nothing.
   * @param {number} i
   */
  heaviestChild(i) {
    return this.children[i].reduce((best, child) => (best < 0 || this.duration[child] > this.duration[best] ? child : best), -1);
  }

  /**
   * The neighbour `by` places away on the same depth, or −1.
   * @param {number} i
   * @param {number} by
   */
  neighbour(i, by) {
    const track = this.tracks[this.depth[i]];
    return track[track.indexOf(i) + by] ?? -1;
  }
}

/** The spans of the data block. Text is kept once and referred to by number. */
class Spans {
  /** @param {Columns} columns */
  constructor(columns) {
    this.columns = columns;
    this.size = columns.duration.length;
    this.steps = new Map(columns.steps); // span of a call of the model -> number of its step, in order of time
  }

  /** @param {number} i */
  name(i) { return this.columns.texts[this.columns.name[i]]; }
  /** @param {number} i */
  kind(i) { return this.columns.texts[this.columns.kind[i]]; }
  /** @param {number} i */
  stage(i) { return this.columns.texts[this.columns.stage[i]]; }
  /** @param {number} i */
  module(i) { return this.columns.texts[this.columns.module[i]]; }
  /** @param {number} i */
  layer(i) { return this.columns.layer[i]; }
  /** @param {number} i */
  depth(i) { return this.columns.depth[i]; }

  /**
   * Null for what is no operation.
   * @param {number} i
   */
  cost(i) {
    const c = this.columns.cost[i];
    return c < 0 ? null : this.columns.costs[c];
  }

  asItHappened() {
    const a = new Arrangement(this.size);
    /** @type {number[]} */
    const open = [];
    let start = 0;
    for (let i = 0; i < this.size; i++) {
      start += this.columns.after[i]; // starts are stored as distances, which are shorter
      a.start[i] = start;
      a.duration[i] = this.columns.duration[i];
      a.depth[i] = this.columns.depth[i];
      a.span[i] = i;
      open.length = a.depth[i];
      for (let d = open.length - 1; d >= 0 && a.parent[i] < 0; d--) a.parent[i] = open[d] ?? -1;
      open[a.depth[i]] = i;
      const cost = this.cost(i);
      for (let up = i; cost && up >= 0; up = a.parent[up]) {
        a.flops[up] += cost[0];
        a.bytes[up] += cost[2] + cost[3];
      }
    }
    return a.finish();
  }

  /**
   * What is the same in every layer has the same key.
   * @param {number} i
   */
  key(i) {
    // The prefill reads the whole prompt, so it is no step like the others.
    if (this.steps.has(i)) return this.steps.get(i) ? "\u0000step" : "\u0000prefill";
    return `${this.kind(i)}\u0000${this.name(i)}\u0000${this.module(i).replace(/\d+/g, "*")}`;
  }

  /**
   * Equal paths merged, siblings from the heaviest to the lightest.
   * @param {Arrangement} happened
   */
  heaviestFirst(happened) {
    /** @type {Merged[]} */
    const merged = [];
    /**
     * @param {number[]} members
     * @param {Float64Array} column
     */
    const sum = (members, column) => members.reduce((total, i) => total + column[i], 0);
    /**
     * @param {number[]} members
     * @param {number} start
     * @param {number} depth
     * @param {number} parent
     */
    const visit = (members, start, depth, parent) => {
      const node = { members, start, depth, parent, duration: sum(members, happened.duration) };
      const id = merged.push(node) - 1;
      /** @type {Map<string, number[]>} */
      const groups = new Map();
      for (const member of members) {
        for (const child of happened.children[member]) {
          const key = this.key(child);
          const group = groups.get(key);
          if (group) group.push(child);
          else groups.set(key, [child]);
        }
      }
      const weighed = [...groups.values()].map((group) => ({ weight: sum(group, happened.duration), group }));
      let at = start;
      for (const { weight, group } of weighed.sort((a, b) => b.weight - a.weight)) {
        visit(group, at, depth + 1, id);
        at += weight;
      }
    };
    let at = 0;
    for (const root of happened.tracks[0] ?? []) {
      visit([root], at, 0, -1);
      at += happened.duration[root];
    }
    const a = new Arrangement(merged.length);
    merged.forEach((node, i) => {
      a.start[i] = node.start;
      a.duration[i] = node.duration;
      a.depth[i] = node.depth;
      a.parent[i] = node.parent;
      a.span[i] = node.members[0];
      a.count[i] = node.members.length;
      a.flops[i] = sum(node.members, happened.flops);
      a.bytes[i] = sum(node.members, happened.bytes);
    });
    return a.finish();
  }
}
