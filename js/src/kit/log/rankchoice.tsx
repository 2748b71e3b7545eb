import type { Reading } from "./reading.ts";

/** The most logs that are side by side. */
export const BESIDE = 4;

/** Which ranks' lines of a training's log are shown: all, in the order of time, some side by side, or those of one. */
export function RankChoice({ processes, reading }: { processes: number; reading: Reading }) {
  const numbers = Array.from({ length: processes }, (_, rank) => rank);
  const groups = numbers
    .filter((rank) => rank % BESIDE === 0)
    .map((rank) => numbers.slice(rank, rank + BESIDE));
  const choose = (event: Event) => {
    const { value } = event.currentTarget as HTMLSelectElement;
    reading.ranks.value = value ? value.split(",").map(Number) : [];
  };
  return (
    <select aria-label="Ranks" value={reading.ranks.value.join()} onChange={choose}>
      <option value="">all ranks, merged</option>
      {groups
        .filter((group) => group.length > 1)
        .map((group) => (
          <option key={group[0]} value={group.join()}>
            ranks {group[0]} to {group[group.length - 1]}, side by side
          </option>
        ))}
      {numbers.map((rank) => (
        <option key={rank} value={String(rank)}>
          rank {rank}
        </option>
      ))}
    </select>
  );
}
