import { useLate } from "./late.ts";

/** Said until the kernel has answered, which may be busy with a cell; or for good, when it has `gone`. */
export function Waiting({ gone }: { gone: boolean }) {
  const late = useLate(true);
  if (gone) return <p class="waiting soft">This was not fetched before the kernel went.</p>;
  return (
    <p class="waiting soft" role="status">
      <span class="spinner" aria-hidden="true" />
      {late ? "The kernel is busy: this comes as soon as it answers." : "Loading…"}
    </p>
  );
}
