/** How grave a line of a log is: kfnb/text/log_levels.py does the same, and tests/views/golden/levels.json has lines for both. */

export const LEVELS = ["debug", "info", "warning", "error", "critical"] as const;

const [INFO, WARNING, ERROR] = [1, 2, 3];
const WORDS: Record<string, number> = {
  ...{ TRACE: 0, DEBUG: 0, D: 0, INFO: 1, NOTICE: 1, I: 1, WARN: 2, WARNING: 2, W: 2 },
  ...{ ERR: 3, ERROR: 3, E: 3, CRITICAL: 4, FATAL: 4, C: 4, F: 4 },
};
const NAMES = "TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|CRITICAL|FATAL";
const ANY = NAMES.replace(/[A-Z]/g, (letter) => `[${letter}${letter.toLowerCase()}]`);
const FORMS = [
  String.raw`^\W{0,4}(${NAMES})\b(?! *=)`,
  String.raw`^\W?\d[\d/:.,TZ+ -]{6,40}.{0,80}?\b(${NAMES})\b`,
  String.raw`^(?:\[[^\]]{0,60}\] *){0,3}\[(${ANY})\]`,
  String.raw`^\[?([DIWEFC])(?: \d{2,4}-?\d\d|\d{4} \d\d:)`,
  String.raw`^\d[\d-]{9} [\d:]{8}\.\d+: ([IWEF]) `,
  String.raw`^\{.*"(?:level|levelname|log_level|lvl|severity)" *: *"(${ANY})"`,
  String.raw`^(?:(?:time|ts|t|caller|logger)=(?:"[^"]*"|\S+) +)*(?:level|lvl|severity)="?(${ANY})\b`,
];
const HEAD = new RegExp(FORMS.map((form) => `(?:${form})`).join("|"));
const PYTHONS = /^\S*:\d+: \w*Warning: /;
const TRACEBACK = "Traceback (most recent call last):";
const GOES_ON =
  /^(?:$|[ \t|]|During handling of the above exception|The above exception was the direct cause)/;

function toldLevel(line: string): number | undefined {
  const word = HEAD.exec(line)
    ?.slice(1)
    .find((found) => found);
  if (word) return WORDS[word.toUpperCase()];
  return PYTHONS.test(line) ? WARNING : undefined;
}

/** Tells the level of each line, one after the other: its own, or that of what it continues. */
export class Leveller {
  #record: number | undefined;
  #traceback = false;

  level(line: string): number {
    if (line.includes(TRACEBACK)) {
      this.#record = Math.max(ERROR, toldLevel(line) ?? 0);
      this.#traceback = true;
      return this.#record;
    }
    if (this.#traceback) {
      // the line of the exception itself is the first that is not indented
      this.#traceback = GOES_ON.test(line);
      return ERROR;
    }
    const stated = toldLevel(line);
    if (stated !== undefined) this.#record = stated;
    else if (!/^\s/.test(line)) this.#record = undefined;
    return this.#record ?? INFO;
  }
}
