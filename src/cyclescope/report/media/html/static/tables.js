/* Tables that sort by any column: a button in the head, the value to sort by in each cell. */

/** @param {HTMLTableElement} table */
function makeSortable(table) {
  const heads = [...(table.tHead?.rows[0].cells ?? [])];
  heads.forEach((head, column) => {
    head.querySelector("button")?.addEventListener("click", () => {
      const ascending = head.getAttribute("aria-sort") === "descending";
      const body = table.tBodies[0];
      body.append(...sortedRows([...body.rows], column, ascending));
      for (const other of heads) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", ascending ? "ascending" : "descending");
    });
  });
}

/**
 * `rows` by the values of one column if its cells have some, else by their words.
 * @param {HTMLTableRowElement[]} rows
 * @param {number} column
 * @param {boolean} ascending
 */
function sortedRows(rows, column, ascending) {
  /** @param {HTMLTableRowElement} row */
  const value = (row) => row.cells[column].dataset.value ?? (row.cells[column].textContent ?? "").trim();
  const numeric = "value" in (rows[0]?.cells[column].dataset ?? {});
  /**
   * @param {HTMLTableRowElement} a
   * @param {HTMLTableRowElement} b
   */
  const compare = (a, b) => (numeric ? Number(value(a)) - Number(value(b)) : value(a).localeCompare(value(b)));
  return rows.sort((a, b) => (ascending ? compare(a, b) : compare(b, a)));
}
