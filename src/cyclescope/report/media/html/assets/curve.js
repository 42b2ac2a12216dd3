/* A curve: the drawing is in the markup; here the point under the pointer, or under the keys, is told. */

class Curve {
  /** `root` holds the drawings, `said` is where a point is told, `open(goal)` shows in the timeline what it stands for,
   *  `words(k)` tells point `k`; else its title does. */
  constructor(root, said, open, words = (k) => this.points[k].querySelector("title").textContent) {
    this.root = root;
    this.said = said;
    this.open = open;
    this.words = words;
    this.points = [...root.querySelectorAll(".point")];
    this.plot = root.querySelector(".plot");
    this.at = -1;
    const follow = (event) => this.tell(this.nearest(event.clientX));
    root.addEventListener("pointermove", follow);
    root.addEventListener("click", (event) => {
      if (!event.target.closest(".plot")) return;
      follow(event);
      this.show();
    });
    root.addEventListener("focus", () => this.at < 0 && this.tell(Number(root.dataset.start)));
    root.addEventListener("keydown", (event) => this.key(event));
  }

  /** The point that is nearest to a place across the screen. */
  nearest(x) {
    const box = this.plot.getBoundingClientRect();
    const share = (100 * (x - box.left)) / box.width;
    const off = (point) => Math.abs(parseFloat(point.querySelector("circle").getAttribute("cx")) - share);
    return this.points.reduce((best, point, k) => (off(point) < off(this.points[best]) ? k : best), 0);
  }

  tell(k) {
    const at = Math.min(Math.max(k, 0), this.points.length - 1);
    if (at === this.at) return;
    this.points[this.at]?.classList.remove("here");
    this.at = at;
    const point = this.points[at];
    point.classList.add("here");
    this.said.textContent = this.words(at);
    const x = point.querySelector("circle").getAttribute("cx");
    for (const cursor of this.root.querySelectorAll("[data-part=cursor]")) {
      cursor.setAttribute("x1", x);
      cursor.setAttribute("x2", x);
      cursor.setAttribute("visibility", "visible");
    }
  }

  show() {
    this.open(Number(this.points[this.at].dataset.goal));
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const actions = {
      ArrowRight: () => this.tell(this.at + 1),
      ArrowLeft: () => this.tell(this.at - 1),
      Home: () => this.tell(0),
      End: () => this.tell(this.points.length - 1),
      Enter: () => this.show(),
    };
    if (!actions[event.key]) return;
    event.preventDefault();
    actions[event.key]();
  }
}
