import type { VNode } from "preact";

/** A column of a table: what it says of a row, and how rows are sorted by it. */
export interface Column<Row> {
  key: string;
  title: string;
  /** Numbers stand at the right. */
  number?: boolean;
  text: (row: Row) => string;
  /** What is drawn, where that is more than the text. */
  cell?: (row: Row) => VNode;
  /** What rows are sorted by, where that is not the text. */
  value?: (row: Row) => number | string | null;
}

/** Which column a table is sorted by, and whether from above. */
export interface Order {
  column: string;
  down: boolean;
}

const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });

/** The rows by a column; those that have nothing there come last, whichever way. */
export function sorted<Row>(rows: readonly Row[], column: Column<Row>, down: boolean): Row[] {
  const keyed = rows.map((row) => ({ row, value: valueIn(column, row) }));
  keyed.sort((one, other) => {
    if (one.value === null || other.value === null)
      return Number(one.value === null) - Number(other.value === null);
    return compare(one.value, other.value) * (down ? -1 : 1);
  });
  return keyed.map(({ row }) => row);
}

function valueIn<Row>(column: Column<Row>, row: Row): number | string | null {
  if (column.value) return column.value(row);
  const text = column.text(row).trim();
  if (!text) return null;
  const number = Number(text);
  return Number.isNaN(number) ? text : number;
}

/** Numbers before words. */
function compare(one: number | string, other: number | string): number {
  if (typeof one === "number" && typeof other === "number") return one - other;
  if (typeof one === "number" || typeof other === "number") return typeof one === "number" ? -1 : 1;
  return collator.compare(one, other);
}

/** The rows of which some cell has each of the words. */
export function matching<Row>(rows: readonly Row[], columns: readonly Column<Row>[], words: string): Row[] {
  const sought = words.toLowerCase().split(/\s+/).filter(Boolean);
  if (!sought.length) return [...rows];
  return rows.filter((row) => {
    const texts = columns.map((column) => column.text(row).toLowerCase());
    return sought.every((word) => texts.some((text) => text.includes(word)));
  });
}
