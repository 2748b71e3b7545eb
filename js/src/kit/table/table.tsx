import { useMemo, useRef } from "preact/hooks";
import { useRows } from "../rows.ts";
import type { Column, Order } from "./columns.ts";

const ROW = 28;
const NARROWEST = 5;
const WIDEST = 34;
const SPARE = 3;

interface Props<Row> {
  label: string;
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  id: (row: Row) => string;
  order: Order | null;
  sort: (order: Order) => void;
  chosen?: string;
  /** What a click on a row does, beside what is in it. */
  choose?: (row: Row) => void;
}

/** A table that can be sorted, of which only the rows that are seen are in the page. */
export function Table<Row>({ label, columns, rows, id, order, sort, chosen, choose }: Props<Row>) {
  const box = useRef<HTMLDivElement>(null);
  const seen = useRows(box, rows.length, ROW, ROW);
  const widths = useMemo(() => columns.map((column) => widthOf(column, rows)), [columns, rows]);
  const above = seen.from * ROW;
  const below = (rows.length - Math.max(seen.to, seen.from)) * ROW;
  return (
    <section ref={box} class="table" tabIndex={0} aria-label={label}>
      <table aria-label={label} aria-rowcount={rows.length + 1}>
        <colgroup>
          {columns.map((column, index) => (
            <col key={column.key} style={`width:${widths[index]}ch`} />
          ))}
        </colgroup>
        <thead>
          <tr aria-rowindex={1}>
            {columns.map((column) => (
              <Heading key={column.key} column={column} order={order} sort={sort} />
            ))}
          </tr>
        </thead>
        <tbody>
          {above > 0 && <tr style={`height:${above}px`} />}
          {rows.slice(seen.from, seen.to).map((row, index) => (
            <tr
              key={id(row)}
              aria-rowindex={seen.from + index + 2}
              data-chosen={id(row) === chosen}
              data-opens={choose !== undefined}
              onClick={() => choose?.(row)}
            >
              {columns.map((column) => (
                <td
                  key={column.key}
                  class={column.number ? "number-cell" : undefined}
                  title={column.text(row)}
                >
                  {column.cell?.(row) ?? column.text(row)}
                </td>
              ))}
            </tr>
          ))}
          {below > 0 && <tr style={`height:${below}px`} />}
        </tbody>
      </table>
    </section>
  );
}

interface HeadingProps<Row> {
  column: Column<Row>;
  order: Order | null;
  sort: (order: Order) => void;
}

function Heading<Row>({ column, order, sort }: HeadingProps<Row>) {
  const own = order?.column === column.key ? order : null;
  const direction = own ? (own.down ? "descending" : "ascending") : "none";
  return (
    <th scope="col" aria-sort={direction} class={column.number ? "number-cell" : undefined}>
      <button type="button" onClick={() => sort({ column: column.key, down: own ? !own.down : false })}>
        {column.title}
        <span aria-hidden="true">{own ? (own.down ? " ↓" : " ↑") : ""}</span>
      </button>
    </th>
  );
}

/** The width in characters that most of a column's cells fit. */
function widthOf<Row>(column: Column<Row>, rows: readonly Row[]): number {
  let longest = Math.max(NARROWEST, column.title.length + 2);
  for (const row of rows) longest = Math.max(longest, column.text(row).length);
  return Math.min(longest, WIDEST) + SPARE + (column.cell ? SPARE : 0);
}
