/** Let the browser save a file. */
export function save(name: string, content: BlobPart[], type = TEXT): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob(content, { type }));
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
  // the browser reads it after the click
  setTimeout(() => URL.revokeObjectURL(link.href), LATER);
}

const TEXT = "text/plain;charset=utf-8";
const LATER = 60_000;
