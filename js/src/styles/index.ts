import base from "./base.css?inline";
import graph from "./graph.css?inline";
import head from "./head.css?inline";
import log from "./log.css?inline";
import panel from "./panel.css?inline";
import study from "./study.css?inline";
import table from "./table.css?inline";
import timeline from "./timeline.css?inline";

/** All that a live picture looks like, for its shadow root. */
export default [base, head, graph, panel, log, timeline, table, study].join("\n");
