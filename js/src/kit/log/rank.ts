/** Whose line of a training's log a line is, as kfnb/text/ranks.py has it. */
const OF_RANK = /^\[rank (\d+)\] /;

/** The rank that wrote a line, and where what it wrote begins; null for a line of no rank. */
export function rankOf(line: string): [rank: number | null, from: number] {
  const found = OF_RANK.exec(line);
  return found ? [Number(found[1]), found[0].length] : [null, 0];
}
