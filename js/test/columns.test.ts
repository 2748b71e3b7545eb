import { describe, expect, it } from "vitest";
import { matching, sorted } from "../src/kit/table/columns.ts";
import { columnsOf } from "../src/views/runs/columns.tsx";
import { rows } from "./samples.ts";

describe("the table of runs", () => {
  const all = rows(50);
  const columns = columnsOf(all);
  const column = (title: string) => {
    const found = columns.find((one) => one.title === title);
    if (!found) throw new Error(`no column ${title}`);
    return found;
  };

  it("has a column for each argument and metric, and none that no run fills", () => {
    expect(columns.map(({ title }) => title)).toEqual(
      "State Run Pipeline Name Schedule Created Time accuracy C rows".split(" "),
    );
  });

  it("marks the runs that were put away, where there are any", () => {
    const [first, ...others] = rows(3);
    const away = columnsOf([{ ...(first as (typeof all)[0]), archived: true }, ...others]);
    expect(away.map(({ title }) => title)).toContain("Archived");
  });

  it("sorts numbers as numbers, both ways, and what is missing last", () => {
    const up = sorted(all, column("rows"), false).map((row) => Number(row.arguments[1]?.[1]));
    expect(up).toEqual([...up].sort((one, other) => one - other));
    for (const down of [true, false])
      expect(sorted(all, column("accuracy"), down).at(-1)?.metrics).toEqual([]);
  });

  it("sorts words with numbers in them as people do", () => {
    const named = ["try 10", "try 9", ""].map(
      (name, index) => ({ ...rows(3)[index], name }) as (typeof all)[0],
    );
    expect(sorted(named, column("Name"), false).map(({ name }) => name)).toEqual(["try 9", "try 10", ""]);
  });

  it("filters by words that may be in different cells", () => {
    const found = matching(all, columns, "SWEEP  try");
    expect(found.length).toBeGreaterThan(0);
    expect(found.every((row) => row.pipeline === "churn_sweep" && row.name.startsWith("try"))).toBe(true);
    expect(matching(all, columns, " ")).toHaveLength(50);
  });
});
