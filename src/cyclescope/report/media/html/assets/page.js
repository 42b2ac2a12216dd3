/* Puts the page to work: theme, sorting, the places of formulas, the charts. Everything else is in the markup. */

const data = JSON.parse(document.getElementById("data").textContent);
const charts = [];

function startTheme(button) {
  const root = document.documentElement;
  const order = ["auto", "light", "dark"];
  const apply = (theme) => {
    root.dataset.theme = theme;
    button.querySelector("span").textContent = data.texts.themes[theme];
    for (const chart of charts) chart.readColours();
  };
  let stored = "auto";
  try {
    // A page opened from a file may have no storage; then every visit begins with the system's choice.
    stored = localStorage.getItem("cyclescope-theme") ?? "auto";
  } catch { /* no storage */ }
  apply(order.includes(stored) ? stored : "auto");
  button.addEventListener("click", () => {
    const next = order[(order.indexOf(root.dataset.theme) + 1) % order.length];
    apply(next);
    try { localStorage.setItem("cyclescope-theme", next); } catch { /* no storage */ }
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => apply(root.dataset.theme));
}

/** A formula stands below the button that opened it, inside the window. */
function placeFormulas() {
  let opener = null;
  document.addEventListener("click", (event) => { opener = event.target.closest?.("[popovertarget]") ?? opener; }, true);
  for (const formula of document.querySelectorAll("[popover]")) {
    formula.addEventListener("toggle", (event) => {
      if (event.newState !== "open" || !opener || innerWidth < 560) return;
      const from = opener.getBoundingClientRect();
      const height = formula.offsetHeight;
      const below = from.bottom + 6 + height < innerHeight;
      formula.style.margin = "0";
      formula.style.left = `${Math.max(12, Math.min(from.left, innerWidth - formula.offsetWidth - 12))}px`;
      formula.style.top = `${below ? from.bottom + 6 : Math.max(12, from.top - height - 6)}px`;
    });
  }
}

/** A row of a table, or a finding, shows its span in the timeline. */
function linkToTimeline(chart) {
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[data-span]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    if (link.dataset.flag) chart.flag(Number(link.dataset.span), link.dataset.flag, link);
    else chart.goTo(Number(link.dataset.span));
  });
}

function preparePrint() {
  const root = document.documentElement;
  let theme = "auto";
  let closed = [];
  addEventListener("beforeprint", () => {
    theme = root.dataset.theme;
    root.dataset.theme = "light";
    root.dataset.printing = "";
    closed = [...document.querySelectorAll("details[data-print]:not([open])")];
    for (const details of closed) details.open = true;
    for (const chart of charts) {
      chart.readColours();
      chart.draw();
    }
  });
  addEventListener("afterprint", () => {
    root.dataset.theme = theme;
    delete root.dataset.printing;
    for (const details of closed) details.open = false;
    for (const chart of charts) chart.readColours();
  });
}

document.querySelectorAll("table.sortable").forEach(makeSortable);
const timeline = document.getElementById("timeline-chart");
let chart = null;
if (timeline) {
  chart = new Timeline(timeline, new Spans(data.spans), data.texts, data.families);
  charts.push(chart);
  linkToTimeline(chart);
}
const growth = document.getElementById("growth-curve");
if (growth) new Curve(growth, document.getElementById("curve-said"), (step) => chart?.goToStep(step) && chart.takeOver());
const course = document.getElementById("memory-course");
if (course) {
  // The words stand in the table below the drawing, once, since names can be long and the page has to stay small.
  const { rows } = document.getElementById("course-rows");
  const words = (k) => {
    const [number, site, computed, measured] = [...rows[k].cells].map((cell) => cell.textContent);
    return fill(course.dataset.spoken, { number, site, computed, measured });
  };
  new Curve(course, document.getElementById("course-said"), (span) => span >= 0 && chart?.goTo(span), words);
}
const roof = document.getElementById("roofline-plot");
if (roof) charts.push(new Roofline(roof, data.roofline, (span) => chart?.goTo(span)));
const panel = document.getElementById("what-if-panel");
if (panel) new WhatIf(panel, data.whatif);
const flow = document.getElementById("flow-chart");
if (flow) new DataFlowView(flow, data.flow, data.texts);
startTheme(document.getElementById("theme"));
placeFormulas();
preparePrint();
