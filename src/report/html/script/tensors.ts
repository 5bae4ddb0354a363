import { cellAtMost, count, percent, percentWithin, ratio } from "../../numbers.js";
import type { TensorData } from "../../tensor-data.js";
import { element } from "./element.js";

/** The height of a row in the style sheet, and the number of rows kept above and below the view. */
const rowHeight = 34;
const around = 24;

/** The maximum number of rows printed. */
const mostPrinted = 200;

const show: Readonly<Record<string, (x: number | null) => string>> = {
  count: (n) => (n === null ? percent(null) : count(n)),
  percent,
  whole: (x) => (x === null ? percent(null) : percentWithin(x, 0.005)),
  atMost: cellAtMost,
  ratio,
};

type Cell = string | number | null;

/**
 * The table of tensors of the chosen case, sorted by a heading, filtered by name and module. Only rows in and around
 * the view are in the document: about a hundred of three thousand. Text is inserted as text, never as markup.
 */
export function showTensors({ columns, names, shapes, kinds, cases }: TensorData): {
  choose: (caseIndex: number) => void;
} {
  const view = element("tensors");
  const body = element("rows");
  const filter = element<HTMLInputElement>("filter");
  const kind = element<HTMLSelectElement>("kind");
  const heads = [...view.querySelectorAll("thead th")];
  const texts = [names, kinds, shapes];
  let current = 0;
  let sorted: { column: number; sign: number } | null = null;
  /** The tensors in display order. */
  let order: number[] = [];
  /** The range of that order that is in the document. */
  let [first, last] = [-1, -1];
  const laidOut = new Map<number, HTMLTableRowElement>();

  const cell = (row: number, column: number): Cell =>
    column < 3 ? texts[column][row] : cases[current][column - 3][row];
  const shownCell = (row: number, column: number) => {
    const value = cell(row, column);
    return typeof value === "string" ? value : show[columns[column].as](value);
  };

  // Cloning a row is faster than creating its cells one by one.
  const template = document.createElement("tr");
  columns.forEach((_, column) => {
    const made = document.createElement(column === 0 ? "th" : "td");
    if (column === 0) made.setAttribute("scope", "row");
    made.append("");
    template.append(made);
  });
  const [above, below] = [spacer(columns.length), spacer(columns.length)];
  body.append(above, below);

  function rowOf(place: number): HTMLTableRowElement {
    const row = template.cloneNode(true) as HTMLTableRowElement;
    row.setAttribute("aria-rowindex", String(place + 2));
    columns.forEach((_, column) => {
      (row.children[column].firstChild as Text).data = shownCell(order[place], column);
    });
    (row.firstChild as HTMLElement).title = row.firstChild!.textContent!;
    return row;
  }

  function arrange(): void {
    const wanted = filter.value.trim().toLowerCase();
    order = [...names.keys()].filter(
      (row) => (kind.value === "" || kinds[row] === kind.value) && names[row].toLowerCase().includes(wanted),
    );
    const by = sorted;
    if (by) order.sort((a, b) => compared(cell(a, by.column), cell(b, by.column), by.sign) || a - b);
    heads.forEach((head, column) => {
      if (by?.column === column) head.setAttribute("aria-sort", by.sign > 0 ? "ascending" : "descending");
      else head.removeAttribute("aria-sort");
    });
    element("shown").textContent = `${count(order.length)} of ${count(names.length)} tensors`;
    element("table").setAttribute("aria-rowcount", String(order.length + 1));
    view.scrollTop = 0;
    draw(true);
  }

  /**
   * Adds rows only when the view comes near the end of the existing ones.
   *
   * @param most if not 0, draws the first `most` rows instead.
   */
  function draw(anew: boolean, most = 0): void {
    const top = Math.floor(view.scrollTop / rowHeight);
    const inView = Math.ceil(view.clientHeight / rowHeight);
    const slack = around / 2;
    const isNearTop = top < first + (first > 0 ? slack : 0);
    const isNearEnd = top + inView > last - (last < order.length ? slack : 0);
    if (!anew && !isNearTop && !isNearEnd) return;
    first = most ? 0 : Math.max(0, Math.min(top, order.length - inView) - around);
    last = Math.min(order.length, most || top + inView + around);
    for (const [place, row] of laidOut) {
      if (!anew && place >= first && place < last) continue;
      row.remove();
      laidOut.delete(place);
    }
    let next: HTMLElement = below;
    for (let place = last - 1; place >= first; place--) {
      let row = laidOut.get(place);
      if (!row) {
        row = rowOf(place);
        laidOut.set(place, row);
        body.insertBefore(row, next);
      }
      next = row;
    }
    setHeight(above, first);
    setHeight(below, most ? 0 : order.length - last);
  }

  let waiting = false;
  const onScroll = () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      draw(false);
    });
  };
  view.addEventListener("scroll", onScroll, { passive: true });
  addEventListener("resize", () => draw(false));
  heads.forEach((head, column) => {
    head.firstElementChild!.addEventListener("click", () => {
      // Names ascending, numbers descending; a second click reverses the order.
      const sign = sorted?.column === column ? -sorted.sign : column < 3 ? 1 : -1;
      sorted = { column, sign };
      arrange();
    });
  });
  filter.addEventListener("input", arrange);
  kind.addEventListener("change", arrange);

  addEventListener("beforeprint", () => {
    draw(true, mostPrinted);
    element("unprinted").textContent =
      order.length > mostPrinted
        ? `The first ${mostPrinted} of ${count(order.length)} tensors; the page has all.`
        : "";
  });
  addEventListener("afterprint", () => {
    element("unprinted").textContent = "";
    draw(true);
  });

  arrange();
  return {
    choose: (caseIndex) => {
      current = caseIndex;
      arrange();
    },
  };
}

const collator = new Intl.Collator("en", { numeric: true });

/** Unknown values come last in both orders. */
function compared(a: Cell, b: Cell, sign: number): number {
  if (a === b) return 0;
  if (a === null) return 1;
  if (b === null) return -1;
  return sign * (typeof a === "string" ? collator.compare(a, b as string) : a - (b as number));
}

/** A row that takes the space of rows not in the document. */
function spacer(columns: number): HTMLTableRowElement {
  const row = document.createElement("tr");
  row.className = "space";
  row.setAttribute("aria-hidden", "true");
  const only = document.createElement("td");
  only.colSpan = columns;
  row.append(only);
  return row;
}

function setHeight(row: HTMLTableRowElement, rows: number): void {
  row.hidden = rows === 0;
  (row.firstChild as HTMLElement).style.height = `${rows * rowHeight}px`;
}
