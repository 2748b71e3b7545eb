import graph from "../../views/run/graph.css?inline";
import timeline from "../../views/run/timeline.css?inline";
import study from "../../views/study/study.css?inline";
import base from "./base.css?inline";
import head from "./head.css?inline";
import log from "./log.css?inline";
import panel from "./panel.css?inline";
import table from "./table.css?inline";

/** All that a live picture looks like, for its shadow root. */
export default [base, head, graph, panel, log, timeline, table, study].join("\n");
