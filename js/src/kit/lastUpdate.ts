import { createContext } from "preact";

/** The moment after which nothing more is known; null as long as more may come. */
export const LastUpdate = createContext<number | null>(null);
