import base from "./base.css?inline";
import head from "./head.css?inline";
import log from "./log.css?inline";
import panel from "./panel.css?inline";
import table from "./table.css?inline";

/** What all live pictures look like, for their shadow roots; each view adds its own. */
export default [base, head, panel, log, table].join("\n");
