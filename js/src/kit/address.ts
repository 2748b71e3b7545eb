/** An address that a browser may open; empty for any that is not plain http or https. */
export function webAddress(text: string): string {
  try {
    const url = new URL(text);
    return url.protocol === "http:" || url.protocol === "https:" ? url.href : "";
  } catch {
    return "";
  }
}
