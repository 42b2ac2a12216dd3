/* What another machine would change: the analytic timing model for every group of operations, computed again from its columns. */

/**
 * Groups of operations as report/drawings/whatif.py writes them, one row a group, times in ns. `threads` has compute and
 * memory with other numbers of threads; it is empty where there is nothing to choose. `order` has the operations one by
 * one where a device may wait for their launches, else null.
 * @typedef {object} WhatIfData
 * @property {"added" | "overlapped"} lanes
 * @property {number[]} compute
 * @property {number[]} memory
 * @property {number[]} overhead
 * @property {number[]} floor
 * @property {number[]} time
 * @property {number} text
 * @property {number} engine
 * @property {number} python
 * @property {ThreadChoice[]} threads
 * @property {Order | null} order
 * @property {boolean} at_ceilings whether it was predicted with every operation at its ceiling: then nothing is above its floor
 * @property {{ as_it_is: string, as_if: string, bar_spoken: string, change: string }} texts
 */
/** @typedef {{ threads: number, compute: number[], memory: number[] }} ThreadChoice */
/** @typedef {{ group: number[], time: number[], host: number[], tail: number }} Order */
/** @typedef {{ threads: number | null, bandwidth: number, peak: number, overhead: number }} Settings where sliders stand */
/** @typedef {{ compute: number, memory: number, overhead: number, nothing: number }} Floors */
/** @typedef {{ floors: Floors, floor: number, python: number, gap: number, total: number }} Outcome times in ns */

/** @type {Settings} */
const UNCHANGED = { threads: null, bandwidth: 1, peak: 1, overhead: 1 };

/**
 * The line of a device that works while the host launches (predicting/schedule.py, `line_totals`): an operation begins when it
 * was launched and the one before it has ended.
 * @param {Order} order
 * @param {number[]} factors of the work of each group
 * @param {number} overhead
 * @returns {number}
 */
function lineOf({ group, time, host, tail }, factors, overhead) {
  let launched = 0;
  let end = 0;
  for (let i = 0; i < group.length; i++) {
    launched += host[i] * overhead;
    end = Math.max(end, launched) + time[i] * (group[i] < 0 ? 1 : factors[group[i]]);
  }
  return end + tail * overhead;
}

/**
 * Floors by what they are bound by, and the time if every operation stays as far above what the analytic model says as it is now.
 * @param {WhatIfData} data
 * @param {Settings} settings
 * @returns {Outcome}
 */
function extrapolated(data, { threads, bandwidth, peak, overhead }) {
  const { lanes, compute, memory, overhead: costs, floor: floorNow, time, text, engine, python, order } = data;
  const choice = data.threads.find((known) => known.threads === threads) ?? { compute, memory };
  const floors = { compute: 0, memory: 0, overhead: data.at_ceilings ? engine * overhead : 0, nothing: text };
  let total = text + engine * overhead; // text has no ceiling; all that a view takes is the engine's
  const added = lanes === "added" ? 1 : 0;
  const work = [];
  for (let i = 0; i < time.length; i++) {
    const c = choice.compute[i] / peak;
    const m = choice.memory[i] / bandwidth;
    const o = costs[i] * overhead;
    const bound = Math.max(c, m, o);
    const now = Math.max(compute[i], memory[i]) + added * costs[i];
    work.push(now > 0 ? (Math.max(c, m) + added * o) / now : 1);
    floors[bound === c ? "compute" : bound === m ? "memory" : "overhead"] +=
      floorNow[i] * (data.at_ceilings ? work[i] : bound / Math.max(compute[i], memory[i], costs[i]));
    total += time[i] * work[i];
  }
  const floor = Object.values(floors).reduce((sum, ns) => sum + ns, 0);
  let between = python * overhead;
  if (order) {
    // What the device waits follows from its line, which stands to that of now as the whole time does.
    const sum = time.reduce((whole, ns) => whole + ns, engine) + python;
    const then = text + (sum * lineOf(order, work, overhead)) / lineOf(order, work.map(() => 1), 1);
    between = Math.max(0, then - total);
    total = then - between;
  }
  return { floors, floor, python: between, gap: Math.max(0, total - floor), total: total + between };
}

class WhatIf {
  /**
   * @param {HTMLElement} root
   * @param {WhatIfData} data
   */
  constructor(root, data) {
    this.root = root;
    this.data = data;
    this.texts = data.texts;
    /** @param {string} name */
    this.part = (name) => partOf(root, name, Element);
    /** @param {string} name */
    const slider = (name) => partOf(root, name, HTMLInputElement);
    this.threads = maybe(root, '[data-part="threads"]', HTMLInputElement); // not where there is nothing to choose
    this.bandwidth = slider("bandwidth");
    this.peak = slider("peak");
    this.overhead = slider("overhead");
    this.sliders = [...(this.threads ? [this.threads] : []), this.bandwidth, this.peak, this.overhead];
    this.start = this.sliders.map(({ value }) => value);
    this.pending = 0;
    for (const one of this.sliders) one.addEventListener("input", () => this.schedule());
    this.part("reset").addEventListener("click", () => {
      this.sliders.forEach((one, k) => { one.value = this.start[k]; });
      this.show();
    });
    this.now = extrapolated(data, UNCHANGED);
    this.show();
  }

  schedule() {
    if (this.pending) return;
    this.pending = requestAnimationFrame(() => {
      this.pending = 0;
      this.show();
    });
  }

  /**
   * What the sliders stand at.
   * @returns {Settings}
   */
  chosen() {
    return {
      threads: this.threads && this.data.threads[Number(this.threads.value)].threads,
      bandwidth: 2 ** Number(this.bandwidth.value),
      peak: 2 ** Number(this.peak.value),
      overhead: Number(this.overhead.value),
    };
  }

  show() {
    const at = this.chosen();
    const then = extrapolated(this.data, at);
    /** @param {number} factor */
    const times = (factor) => `×${format.significant(factor)}`;
    if (this.threads) this.tell(this.threads, String(at.threads));
    this.tell(this.bandwidth, times(at.bandwidth));
    this.tell(this.peak, times(at.peak));
    this.tell(this.overhead, times(at.overhead));
    /**
     * @param {number} a
     * @param {number} b
     */
    const change = (a, b) => (b > 0 && a !== b ? fill(this.texts.change, { factor: format.significant(a / b) }) : "");
    if (!this.data.at_ceilings) {
      this.part("floor").textContent = format.time(then.floor);
      this.part("floor-change").textContent = change(then.floor, this.now.floor);
    }
    for (const name of ["total", "total-again"]) this.part(name).textContent = format.time(then.total);
    this.part("total-change").textContent = change(then.total, this.now.total);
    const widest = Math.max(then.total, this.now.total);
    this.bar("now", this.now, widest, this.texts.as_it_is);
    this.bar("then", then, widest, this.texts.as_if);
    Object.assign(this.root.dataset, { floor: String(then.floor), total: String(then.total) });
  }

  /**
   * Say beside a slider, and to who hears it, where it stands.
   * @param {HTMLInputElement} slider
   * @param {string} value
   */
  tell(slider, value) {
    this.part(`${slider.dataset.part}-value`).textContent = value;
    slider.setAttribute("aria-valuetext", value);
  }

  /**
   * @param {string} name
   * @param {Outcome} state
   * @param {number} widest
   * @param {string} label
   */
  bar(name, state, widest, label) {
    const svg = this.part(name);
    /** @type {[string, number][]} */
    const parts = [...Object.entries(state.floors), ["gap", state.gap], ["python", state.python]];
    let x = 0;
    svg.replaceChildren(...parts.map(([paint, ns]) => {
      const width = widest > 0 ? (100 * ns) / widest : 0;
      const piece = drawn("rect", { class: `b-${paint}`, x: `${x.toFixed(3)}%`, y: 0, width: `${width.toFixed(3)}%`, height: 18 });
      x += width;
      return piece;
    }));
    svg.setAttribute("aria-label", fill(this.texts.bar_spoken, { name: label, total: format.time(state.total), floor: format.time(state.floor) }));
  }
}
