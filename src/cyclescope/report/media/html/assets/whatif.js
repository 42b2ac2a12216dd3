/* What another machine would change: the bound of every group of operations, computed again from its columns. */

class WhatIf {
  constructor(root, data) {
    this.root = root;
    this.data = data;
    this.texts = data.texts;
    this.part = (name) => root.querySelector(`[data-part="${name}"]`);
    this.sliders = ["threads", "bandwidth", "peak", "overhead"].map(this.part).filter(Boolean);
    this.start = this.sliders.map((slider) => slider.value);
    for (const slider of this.sliders) slider.addEventListener("input", () => this.schedule());
    this.part("reset").addEventListener("click", () => {
      this.sliders.forEach((slider, k) => { slider.value = this.start[k]; });
      this.show();
    });
    this.now = this.compute({ peak: 1, overhead: 1, memory: data.levels.map(() => 1) });
    this.show();
  }

  schedule() {
    if (this.pending) return;
    this.pending = requestAnimationFrame(() => {
      this.pending = 0;
      this.show();
    });
  }

  /** The factors that the sliders stand at. */
  chosen() {
    const power = (name) => 2 ** Number(this.part(name).value);
    const threads = this.data.threads[Number(this.part("threads")?.value)];
    const bandwidth = power("bandwidth");
    return {
      threads: threads?.threads,
      bandwidth,
      peakAlone: power("peak"),
      peak: power("peak") * (threads?.peak ?? 1),
      memory: this.data.levels.map((level) => bandwidth * (threads?.levels[level] ?? 1)),
      overhead: Number(this.part("overhead").value),
    };
  }

  /** Floors by what they are bound by, and the time if every operation stays as far above its floor as it is now. */
  compute({ peak, memory, overhead }) {
    const { compute, memory: reads, overhead: costs, floor: floorNow, time, level, text, engine, python } = this.data;
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

  show() {
    const at = this.chosen();
    const then = this.compute(at);
    const times = (factor) => `×${format.significant(factor)}`;
    const told = { threads: String(at.threads ?? ""), bandwidth: times(at.bandwidth), peak: times(at.peakAlone), overhead: times(at.overhead) };
    for (const slider of this.sliders) {
      const value = told[slider.dataset.part];
      this.part(`${slider.dataset.part}-value`).textContent = value;
      slider.setAttribute("aria-valuetext", value);
    }
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

  bar(name, state, widest, label) {
    const svg = this.part(name);
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
