/**
 * What a report's page does, as text for its one script: the theme, which case is shown, the table of tensors. Text, because
 * it is for a browser, whose types the rest of the sources must not see, and because the page allows it by its hash.
 *
 * The table holds only the rows in view and some around them: with three thousand tensors a hundred rows are laid out,
 * not three thousand. Texts go in as text, never as markup.
 */
export const script = `"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const root = document.documentElement;
  const dark = () => root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  const theme = $("theme");
  const nameTheme = () => { theme.textContent = dark() ? "Light" : "Dark"; };
  theme.hidden = false;
  theme.addEventListener("click", () => { root.dataset.theme = dark() ? "light" : "dark"; nameTheme(); });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", nameTheme);
  nameTheme();

  // Scroll bars of phones are hidden: what is wider than its place says so.
  const widths = new ResizeObserver((entries) => {
    for (const { target } of entries) target.nextElementSibling.hidden = target.scrollWidth <= target.clientWidth + 1;
  });
  for (const place of document.querySelectorAll(".scroll, .picture, .tensors")) {
    const said = document.createElement("p");
    said.className = "hint";
    said.textContent = "Scroll sideways for more \u2192";
    said.hidden = true;
    place.after(said);
    widths.observe(place);
  }

  const data = JSON.parse($("data").textContent);
  // A page without a table of tensors.
  if (data === null) return;
  const { columns, names, shapes, kinds, cases } = data;
  const [view, body, space, filter, kind, shown] = ["tensors", "rows", "space", "filter", "kind", "shown"].map($);
  const heads = [...view.querySelectorAll("thead th")];
  const rowHeight = 34, around = 24;
  let current = 0, sorted = null, order = [], first = -1, last = -1;

  const missing = "\\u2013";
  const show = {
    count: (n) => n === null ? missing : n.toLocaleString("en-US"),
    percent: (x) => {
      if (x === null) return missing;
      if (x > 0 && x < 0.0005) return "<0.1%";
      if (x < 1 && x >= 0.9995) return ">99.9%";
      return (100 * x).toFixed(1) + "%";
    },
    whole: (x) => {
      if (x === null) return missing;
      if (x > 0 && x < 0.005) return "<1%";
      if (x < 1 && x >= 0.995) return ">99%";
      return Math.round(100 * x) + "%";
    },
    ratio: (x) => {
      if (x === null) return missing;
      const size = Math.abs(x);
      if (x === 0 || size >= 0.1) return x.toFixed(2);
      return size >= 0.001 ? x.toFixed(3) : x.toExponential(0);
    },
  };
  const texts = [names, kinds, shapes];
  const cell = (row, column) => column < 3 ? texts[column][row] : cases[current][column - 3][row];
  const shownCell = (row, column) => {
    const value = cell(row, column);
    return column < 3 ? value : show[columns[column].as](value);
  };

  const collator = new Intl.Collator("en", { numeric: true });
  const before = (a, b) => {
    if (a === b) return 0;
    // What is not known comes last, whichever way the rest goes.
    if (a === null) return 1;
    if (b === null) return -1;
    return (typeof a === "string" ? collator.compare(a, b) : a - b) * sorted.sign;
  };

  function arrange() {
    const wanted = filter.value.trim().toLowerCase();
    order = [];
    for (let row = 0; row < names.length; row++) {
      if (kind.value !== "" && kinds[row] !== kind.value) continue;
      if (wanted === "" || names[row].toLowerCase().includes(wanted)) order.push(row);
    }
    if (sorted) order.sort((a, b) => before(cell(a, sorted.column), cell(b, sorted.column)) || a - b);
    heads.forEach((head, column) => {
      const by = sorted && sorted.column === column;
      if (by) head.setAttribute("aria-sort", sorted.sign > 0 ? "ascending" : "descending");
      else head.removeAttribute("aria-sort");
    });
    shown.textContent = show.count(order.length) + " of " + show.count(names.length) + " tensors";
    $("table").setAttribute("aria-rowcount", String(order.length + 1));
    view.scrollTop = 0;
    draw(true);
  }

  // Cloned for each row, which is faster than making its cells one by one.
  const template = document.createElement("tr");
  columns.forEach((_, column) => {
    const of = document.createElement(column === 0 ? "th" : "td");
    if (column === 0) of.scope = "row";
    of.append("");
    template.append(of);
  });

  function rowOf(place) {
    const row = template.cloneNode(true);
    row.setAttribute("aria-rowindex", String(place + 2));
    columns.forEach((_, column) => { row.children[column].firstChild.data = shownCell(order[place], column); });
    row.firstChild.title = row.firstChild.textContent;
    return row;
  }

  const spacer = () => {
    const row = document.createElement("tr");
    row.className = "space";
    row.setAttribute("aria-hidden", "true");
    const of = document.createElement("td");
    of.colSpan = columns.length;
    row.append(of);
    return row;
  };
  const [above, below] = [spacer(), spacer()];
  const setHeight = (of, rows) => { of.hidden = rows === 0; of.firstChild.style.height = rows * rowHeight + "px"; };
  body.append(above, below);

  /** Rows that are laid out, by their places. */
  const rows = new Map();

  function draw(anew, most) {
    const top = Math.floor(view.scrollTop / rowHeight);
    const inView = Math.ceil(view.clientHeight / rowHeight);
    // Rows are laid out only where the view comes near the end of those that are there; the others stay.
    const slack = around / 2;
    if (!anew && top >= first + (first > 0 ? slack : 0) && top + inView <= last - (last < order.length ? slack : 0)) return;
    first = most ? 0 : Math.max(0, Math.min(top, order.length - inView) - around);
    last = Math.min(order.length, most || top + inView + around);
    for (const [place, row] of rows) {
      if (!anew && place >= first && place < last) continue;
      row.remove();
      rows.delete(place);
    }
    let next = below;
    for (let place = last - 1; place >= first; place--) {
      let row = rows.get(place);
      if (!row) {
        row = rowOf(place);
        rows.set(place, row);
        body.insertBefore(row, next);
      }
      next = row;
    }
    setHeight(above, first);
    setHeight(below, most ? 0 : order.length - last);
  }

  let waiting = false;
  view.addEventListener("scroll", () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => { waiting = false; draw(false); });
  }, { passive: true });
  addEventListener("resize", () => draw(false));
  heads.forEach((head, column) => {
    head.firstElementChild.addEventListener("click", () => {
      // Names from A on, numbers from the largest on; the second click turns it round.
      const sign = sorted && sorted.column === column ? -sorted.sign : column < 3 ? 1 : -1;
      sorted = { column, sign };
      arrange();
    });
  });
  filter.addEventListener("input", arrange);
  kind.addEventListener("change", arrange);

  for (const chooser of document.querySelectorAll(".case")) {
    chooser.parentElement.parentElement.hidden = cases.length < 2;
    chooser.addEventListener("change", () => {
      current = Number(chooser.value);
      for (const other of document.querySelectorAll(".case")) other.value = chooser.value;
      for (const of of document.querySelectorAll("[data-case]")) of.hidden = Number(of.dataset.case) !== current;
      arrange();
    });
  }

  // Paper has all that was told, but for a table that would take a ream.
  const mostPrinted = 200;
  addEventListener("beforeprint", () => {
    draw(true, mostPrinted);
    $("unprinted").textContent = order.length > mostPrinted ? "The first " + mostPrinted + " of " + show.count(order.length) + " tensors; the page has all." : "";
  });
  addEventListener("afterprint", () => { $("unprinted").textContent = ""; draw(true); });

  arrange();
})();
`;
