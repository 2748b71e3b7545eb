import { useEffect, useState } from "preact/hooks";

const LONG = 2000;

/** Whether the kernel has been `asked` for so long that it must be busy with something else. */
export function useLate(asked: boolean): boolean {
  const [late, setLate] = useState(false);
  useEffect(() => {
    if (!asked) return undefined;
    const timer = setTimeout(() => setLate(true), LONG);
    return () => {
      clearTimeout(timer);
      setLate(false);
    };
  }, [asked]);
  return late;
}
