import { useEffect, useState } from "preact/hooks";

const LONG = 2000;

/** Whether an answer is `pending` for longer than a kernel takes that is not busy. */
export function useSlow(pending: boolean): boolean {
  const [slow, setSlow] = useState(false);
  useEffect(() => {
    if (!pending) return undefined;
    const timer = setTimeout(() => setSlow(true), LONG);
    return () => {
      clearTimeout(timer);
      setSlow(false);
    };
  }, [pending]);
  return slow;
}
