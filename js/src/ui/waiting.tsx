import { useEffect, useState } from "preact/hooks";

const LONG = 2000;

/** Said until the kernel has answered; it may be busy with a cell. */
export function Waiting() {
  const [long, setLong] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLong(true), LONG);
    return () => clearTimeout(timer);
  }, []);
  return (
    <p class="waiting soft" role="status">
      <span class="spinner" aria-hidden="true" />
      {long ? "The kernel is busy: this comes as soon as it answers." : "Loading…"}
    </p>
  );
}
