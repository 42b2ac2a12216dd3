/* Spans as columns, in the two arrangements of the chart: as they happened, and added up with the heaviest first. */

/** First position in `track` whose key is above `bound`; keys ascend along a track. */
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
    this.children = Array.from({ length: size }, () => []);
    this.tracks = [];
    this.total = 0;
  }

  end(i) {
    return this.start[i] + this.duration[i];
  }

  /** Fill in what follows from start, duration, depth and parent. */
  finish() {
    const tracks = [];
    for (let i = 0; i < this.size; i++) {
      (tracks[this.depth[i]] ??= []).push(i);
      if (this.parent[i] >= 0) this.children[this.parent[i]].push(i);
      this.total = Math.max(this.total, this.end(i));
    }
    this.tracks = Array.from(tracks, (track) => Int32Array.from(track ?? []).sort((a, b) => this.start[a] - this.start[b]));
    return this;
  }

  /** The rectangle at a time and depth, or −1. */
  at(time, depth) {
    const track = this.tracks[depth];
    if (!track) return -1;
    const k = firstAbove(track, (i) => this.end(i), time);
    return k < track.length && this.start[track[k]] <= time ? track[k] : -1;
  }

  /** The longest of what lies inside, which is where a reader wants to go; −1 where there is nothing. */
  heaviestChild(i) {
    return this.children[i].reduce((best, child) => (best < 0 || this.duration[child] > this.duration[best] ? child : best), -1);
  }

  /** The neighbour `by` places away on the same depth, or −1. */
  neighbour(i, by) {
    const track = this.tracks[this.depth[i]];
    return track[track.indexOf(i) + by] ?? -1;
  }
}

/** The spans of the data block. Text is kept once and referred to by number. */
class Spans {
  constructor(columns) {
    this.columns = columns;
    this.size = columns.duration.length;
    this.steps = new Map(columns.steps); // span of a call of the model -> number of its step, in order of time
  }

  name(i) { return this.columns.texts[this.columns.name[i]]; }
  kind(i) { return this.columns.texts[this.columns.kind[i]]; }
  stage(i) { return this.columns.texts[this.columns.stage[i]]; }
  module(i) { return this.columns.texts[this.columns.module[i]]; }
  layer(i) { return this.columns.layer[i]; }

  /** FLOPs, elementwise FLOPs, bytes read, bytes written; null for what is no operation. */
  cost(i) {
    const c = this.columns.cost[i];
    return c < 0 ? null : this.columns.costs[c];
  }

  asItHappened() {
    const a = new Arrangement(this.size);
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

  /** What is the same in every layer has the same key. */
  key(i) {
    // The prefill reads the whole prompt, so it is no step like the others.
    if (this.steps.has(i)) return this.steps.get(i) ? "\u0000step" : "\u0000prefill";
    return `${this.kind(i)}\u0000${this.name(i)}\u0000${this.module(i).replace(/\d+/g, "*")}`;
  }

  /** Equal paths merged, siblings from the heaviest to the lightest. */
  heaviestFirst(happened) {
    const merged = [];
    const sum = (members, column) => members.reduce((total, i) => total + column[i], 0);
    const visit = (members, start, depth, parent) => {
      const node = { members, start, depth, parent, duration: sum(members, happened.duration) };
      const id = merged.push(node) - 1;
      const groups = new Map();
      for (const member of members) {
        for (const child of happened.children[member]) {
          const key = this.key(child);
          if (groups.has(key)) groups.get(key).push(child);
          else groups.set(key, [child]);
        }
      }
      const weighed = [...groups.values()].map((group) => [sum(group, happened.duration), group]);
      let at = start;
      for (const [weight, group] of weighed.sort((a, b) => b[0] - a[0])) {
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
