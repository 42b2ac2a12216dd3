/* What another machine would change: the bound of every group of operations, computed again from its columns. */

/**
 * Groups of operations as report/drawings/whatif.py writes them, one row a group, times in ns; `level` is the number of the
 * memory level in `levels`. `threads` is empty where there is nothing to choose.
 * @typedef {object} WhatIfData
 * @property {number[]} compute
 * @property {number[]} memory
 * @property {number[]} overhead
 * @property {number[]} floor
 * @property {number[]} time
 * @property {number[]} level
 * @property {string[]} levels
 * @property {number} text
 * @property {number} engine
 * @property {number} python
 * @property {ThreadChoice[]} threads
 * @property {{ as_it_is: string, as_if: string, bar_spoken: string, change: string }} texts
 */
/** @typedef {{ threads: number, peak: number, levels: Record<string, number> }} ThreadChoice */
/** @typedef {{ threads: number | null, bandwidth: number, peak: number, overhead: number }} Settings where sliders stand */
/** @typedef {{ peak: number, memory: number[], overhead: number }} Factors `memory` has one for each level */
/** @typedef {{ compute: number, memory: number, overhead: number, nothing: number }} Floors */
/** @typedef {{ floors: Floors, floor: number, python: number, gap: number, total: number }} Outcome times in ns */

/**
 * By what each ceiling changes: the factors of the sliders, and those of the number of threads.
 * @param {WhatIfData} data
 * @param {Settings} settings
 * @returns {Factors}
 */
function factorsOf(data, { threads, bandwidth, peak, overhead }) {
  const choice = data.threads.find((known) => known.threads === threads);
  return {
    peak: peak * (choice?.peak ?? 1),
    memory: data.levels.map((level) => bandwidth * (choice?.levels[level] ?? 1)),
    overhead,
  };
}

/**
 * Floors by what they are bound by, and the time if every operation stays as far above its floor as it is now.
 * @param {WhatIfData} data
 * @param {Factors} factors
 * @returns {Outcome}
 */
function extrapolated(data, { peak, memory, overhead }) {
  const { compute, memory: reads, overhead: costs, floor: floorNow, time, level, text, engine, python } = data;
  const floors = { compute: 0, memory: 0, overhead: 0, nothing: text };
  let total = text + engine * overhead; // text has no ceiling; all that a view takes is the engine's
  for (let i = 0; i < time.length; i++) {
    const c = compute[i] / peak;
    const m = reads[i] / memory[level[i]];
    const o = costs[i] * overhead;
    const bound = Math.max(c, m, o);
    const factor = bound / Math.max(compute[i], reads[i], costs[i]);
    floors[bound === c ? "compute" : bound === m ? "memory" : "overhead"] += floorNow[i] * factor;
    total += time[i] * factor;
  }
  const floor = Object.values(floors).reduce((sum, ns) => sum + ns, 0);
  const between = python * overhead;
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
    this.now = extrapolated(data, { peak: 1, overhead: 1, memory: data.levels.map(() => 1) });
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
    const then = extrapolated(this.data, factorsOf(this.data, at));
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
    this.part("floor").textContent = format.time(then.floor);
    this.part("floor-change").textContent = change(then.floor, this.now.floor);
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
