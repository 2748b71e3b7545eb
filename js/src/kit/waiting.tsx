import { useSlow } from "./slow.ts";

/** Shown until the kernel has answered, which may be busy with a cell; or for good, when it has `gone`. */
export function Waiting({ gone }: { gone: boolean }) {
  const slow = useSlow(true);
  if (gone) return <p class="waiting soft">This was not fetched before the kernel ended.</p>;
  return (
    <p class="waiting soft" role="status">
      <span class="spinner" aria-hidden="true" />
      {slow ? "The kernel is busy: this appears as soon as it is free." : "Loading…"}
    </p>
  );
}
