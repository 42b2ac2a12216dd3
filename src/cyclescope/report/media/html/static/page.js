/* Puts the page to work: theme, sorting, the places of formulas, the charts. Everything else is in the markup. */

/**
 * What media/html/data.py embeds: the data of each drawing that the page has, under its name.
 * @typedef {object} PageData
 * @property {{ themes: Record<string, string> }} texts
 * @property {{ spans: Columns, texts: ChartTexts, families: Families }} [timeline]
 * @property {LanesData} [lanes]
 * @property {FlowData} [flow]
 * @property {RooflineData} [roofline]
 * @property {WhatIfData} [what-if]
 */

/** @type {PageData} */
const data = JSON.parse(the(document, "#data", HTMLScriptElement).text);
/** @type {(Timeline | Roofline | LanesChart)[]} */
const charts = [];

/** @param {HTMLElement} button */
function startTheme(button) {
  const root = document.documentElement;
  const order = ["auto", "light", "dark"];
  const words = the(button, "span", HTMLElement);
  /** @param {string} theme */
  const apply = (theme) => {
    root.dataset.theme = theme;
    words.textContent = data.texts.themes[theme];
    for (const chart of charts) chart.readColours();
  };
  let stored = "auto";
  try {
    // A page opened from a file may have no storage; then every visit begins with the system's choice.
    stored = localStorage.getItem("cyclescope-theme") ?? "auto";
  } catch { /* no storage */ }
  apply(order.includes(stored) ? stored : "auto");
  button.addEventListener("click", () => {
    const next = order[(order.indexOf(root.dataset.theme ?? "auto") + 1) % order.length];
    apply(next);
    try { localStorage.setItem("cyclescope-theme", next); } catch { /* no storage */ }
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => apply(root.dataset.theme ?? "auto"));
}

/** A formula stands below the button that opened it, inside the window. */
function placeFormulas() {
  /** @type {HTMLElement | null} */
  let opener = null;
  document.addEventListener("click", (event) => { opener = around(event, "[popovertarget]", HTMLElement) ?? opener; }, true);
  for (const formula of document.querySelectorAll("[popover]")) {
    if (!(formula instanceof HTMLElement)) continue;
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

/**
 * A row of a table, or a finding, shows its span in the timeline.
 * @param {Timeline} chart
 */
function linkToTimeline(chart) {
  document.addEventListener("click", (event) => {
    const link = around(event, "a[data-span]", HTMLAnchorElement);
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    if (link.dataset.flag) chart.flag(Number(link.dataset.span), link.dataset.flag, link);
    else chart.goTo(Number(link.dataset.span));
  });
}

function preparePrint() {
  const root = document.documentElement;
  /** @type {string | undefined} */
  let theme = "auto";
  /** @type {HTMLDetailsElement[]} */
  let closed = [];
  addEventListener("beforeprint", () => {
    theme = root.dataset.theme;
    root.dataset.theme = "light";
    root.dataset.printing = "";
    closed = [...document.querySelectorAll("details")].filter((details) => "print" in details.dataset && !details.open);
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

/** @param {string} id */
function chartCalled(id) {
  return maybe(document, `#${id}`, HTMLElement);
}

/**
 * Puts the chart of the spans to work, if the page has one.
 * @param {HTMLElement | null} root
 */
function startTimeline(root) {
  if (!root || !data.timeline) return null;
  const chart = new Timeline(root, new Spans(data.timeline.spans), data.timeline.texts, data.timeline.families);
  charts.push(chart);
  linkToTimeline(chart);
  return chart;
}

/**
 * The growth of the steps: a point opens its step.
 * @param {HTMLElement} root
 * @param {Timeline | null} chart
 */
function startGrowth(root, chart) {
  new Curve(root, the(document, "#curve-said", HTMLElement), (step) => {
    if (chart?.goToStep(step)) chart.takeOver();
  });
}

/**
 * The course of the memory. Its words stand in the table below the drawing, once, since names can be long and the page has
 * to stay small.
 * @param {HTMLElement} root
 * @param {Timeline | null} chart
 */
function startCourse(root, chart) {
  const { rows } = the(document, "#course-rows", HTMLTableSectionElement);
  /** @param {number} k */
  const words = (k) => {
    const [number, site, computed, measured] = [...rows[k].cells].map((cell) => cell.textContent ?? "");
    return fill(root.dataset.spoken ?? "", { number, site, computed, measured });
  };
  /** @param {number} span */
  const open = (span) => {
    if (span >= 0) chart?.goTo(span);
  };
  new Curve(root, the(document, "#course-said", HTMLElement), open, words);
}

for (const table of document.querySelectorAll("table")) if (table.classList.contains("sortable")) makeSortable(table);
const timeline = startTimeline(chartCalled("timeline-chart"));
const growth = chartCalled("growth-curve");
if (growth) startGrowth(growth, timeline);
const course = chartCalled("memory-course");
if (course) startCourse(course, timeline);
const roof = chartCalled("roofline-plot");
if (roof && data.roofline) charts.push(new Roofline(roof, data.roofline, (span) => timeline?.goTo(span)));
const lanes = chartCalled("lanes-chart");
if (lanes && data.lanes) charts.push(new LanesChart(lanes, data.lanes));
const panel = chartCalled("what-if-panel");
const bounds = data["what-if"];
if (panel && bounds) new WhatIf(panel, bounds);
const flow = chartCalled("flow-chart");
if (flow && data.flow) new DataFlowView(flow, data.flow);
startTheme(the(document, "#theme", HTMLElement));
placeFormulas();
preparePrint();
