/* A curve: the drawing is in the markup; here the point under the pointer, or under the keys, is told. */

/**
 * Which of `places` is nearest to `at`; of two as near ones the first.
 * @param {number[]} places
 * @param {number} at
 */
function nearestTo(places, at) {
  return places.reduce((best, place, k) => (Math.abs(place - at) < Math.abs(places[best] - at) ? k : best), 0);
}

class Curve {
  /**
   * `root` holds the drawings, `said` is where a point is told, `open(target)` shows in the timeline what it stands for,
   * `words(k)` tells point `k`; else its title does.
   * @param {HTMLElement} root
   * @param {HTMLElement} said
   * @param {(target: number) => void} open
   * @param {(k: number) => string} [words]
   */
  constructor(root, said, open, words) {
    this.root = root;
    this.said = said;
    this.open = open;
    this.points = [...root.querySelectorAll(".point")].filter((point) => point instanceof SVGElement);
    this.places = this.points.map((point) => the(point, "circle", SVGCircleElement).getAttribute("cx") ?? "");
    this.words = words ?? ((k) => this.points[k].querySelector("title")?.textContent ?? "");
    this.plot = the(root, ".plot", SVGElement);
    this.at = -1;
    /** @param {PointerEvent | MouseEvent} event */
    const follow = (event) => this.tell(this.nearest(event.clientX));
    root.addEventListener("pointermove", follow);
    root.addEventListener("click", (event) => {
      if (!around(event, ".plot", SVGElement)) return;
      follow(event);
      this.show();
    });
    root.addEventListener("focus", () => {
      if (this.at < 0) this.tell(Number(root.dataset.start));
    });
    root.addEventListener("keydown", (event) => this.key(event));
  }

  /**
   * The point that is nearest to a place across the screen.
   * @param {number} x
   */
  nearest(x) {
    const box = this.plot.getBoundingClientRect();
    return nearestTo(this.places.map(parseFloat), (100 * (x - box.left)) / box.width);
  }

  /** @param {number} k */
  tell(k) {
    const at = Math.min(Math.max(k, 0), this.points.length - 1);
    if (at === this.at) return;
    this.points[this.at]?.classList.remove("here");
    this.at = at;
    this.points[at].classList.add("here");
    this.said.textContent = this.words(at);
    for (const cursor of this.root.querySelectorAll("[data-part=cursor]")) {
      cursor.setAttribute("x1", this.places[at]);
      cursor.setAttribute("x2", this.places[at]);
      cursor.setAttribute("visibility", "visible");
    }
  }

  show() {
    this.open(Number(this.points[this.at].dataset.target));
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    /** @type {Record<string, () => void>} */
    const actions = {
      ArrowRight: () => this.tell(this.at + 1),
      ArrowLeft: () => this.tell(this.at - 1),
      Home: () => this.tell(0),
      End: () => this.tell(this.points.length - 1),
      Enter: () => this.show(),
    };
    if (!Object.hasOwn(actions, event.key)) return;
    event.preventDefault();
    actions[event.key]();
  }
}
