import assert from "node:assert/strict";
import { test } from "node:test";
import { colorsOf, PALETTE } from "../src/lib/colors.ts";
import { column, constants, firstColumns, goalOf, isDown, isExtreme, isSingle, metricOf, orderTerm, readDirections, summaryOf, type Summary } from "../src/lib/columns.ts";
import { readCsv, separatorOf } from "../src/lib/csv.ts";
import { change, datasetTrouble, diffRows, same } from "../src/lib/diff.ts";
import { frozenFilter, frozenTags, readFrozen } from "../src/lib/frozen.ts";
import { ago, bytes, duration, metric, num, spelled, whole } from "../src/lib/format.ts";
import { safeLink } from "../src/lib/markdown.tsx";
import { readModel } from "../src/lib/mlmodel.ts";
import { csvOf } from "../src/lib/save.ts";
import { scaleOf, ticks } from "../src/lib/scale.ts";
import { ema } from "../src/lib/smooth.ts";
import { explained, ranks, weights } from "../src/lib/stats.ts";
import { counted, partsOf, trashLines } from "../src/lib/trash.ts";
import { fromMlflow, list, readList, readPlace, writePlace } from "../src/lib/url.ts";
import { visited } from "../src/lib/visit.ts";
import { columnSpan, edges, reordered, rowSpan } from "../src/lib/virtual.ts";

const summary: Summary = {
  total: 10, complete: true, capped: false, status: {}, users: [], children: {},
  metrics: [{ key: "train/loss", n: 10, min: 0, max: 1 }, { key: "val/accuracy", n: 10, min: 0, max: 1 }, { key: "rare", n: 1, min: 0, max: 1 }],
  params: [
    { key: "lr", n: 10, distinct: 4, numeric: true, values: [["0.1", 4]] },
    { key: "dataset", n: 10, distinct: 1, numeric: false, values: [["mnist", 10]] },
  ],
  tags: [{ key: "mlflow.user", n: 10, distinct: 3, numeric: false, values: [] }, { key: "team", n: 10, distinct: 2, numeric: false, values: [] }],
};

test("numbers keep their meaning", () => {
  assert.equal(num(0.123456789), "0.12346");
  assert.equal(num(1e-7), "1e-7");
  assert.equal(num(-2.5), "−2.5");
  assert.equal(num(NaN), "NaN");
  assert.equal(num(-Infinity), "−∞");
  assert.equal(num(1234567), "1\u2009234\u2009567");
  assert.equal(num(123456.789), "123457");
  assert.equal(whole(-12345), "−12\u2009345");
  assert.ok(Number.isNaN(metric("NaN")!));
  assert.equal(metric("-Infinity"), -Infinity);
  assert.equal(metric("0.5"), null);
  assert.equal(spelled("1e-3"), 0.001);
  assert.equal(spelled("12abc"), null);
});

test("times and sizes are short", () => {
  assert.equal(duration(3_720_000), "1h 2m");
  assert.equal(duration(61_000), "1m 1s");
  assert.equal(duration(450), "450ms");
  assert.equal(duration(59_999), "60s");
  assert.equal(ago(0, 120_000), "2m ago");
  assert.equal(ago(0, 10_000), "just now");
  assert.equal(bytes(1536), "1.5 kB");
  assert.equal(bytes(12), "12 B");
});

test("the address holds any text and loses none", () => {
  for (const text of ["a,b", "~", "~1", "x=y&z", "é/ü ?#", "100%", "a+b", "'\"`"]) {
    assert.deepEqual(readList(list([text, "z"])), [text, "z"]);
    const place = readPlace(writePlace(["experiments", text], { q: text, cols: list([text]) }));
    assert.deepEqual(place.path, ["experiments", text].filter(Boolean).flatMap((one) => (one === "é/ü ?#" ? ["é/ü ?#"] : [one])));
    assert.equal(place.query["q"], text);
    assert.deepEqual(readList(place.query["cols"]), [text]);
  }
  assert.equal(Object.getPrototypeOf(readPlace("#/a?__proto__=1").query), Object.prototype);
  assert.equal(readPlace(`#/a?q=${"x".repeat(300_000)}`).path.length, 0);
});

test("addresses of MLflow lead to ours", () => {
  const runs = encodeURIComponent('["a","b"]');
  assert.equal(fromMlflow(readPlace(`#/compare-runs?runs=${runs}&experiments=${encodeURIComponent('["0"]')}`)), "#/compare?runs=a,b&experiments=0");
  assert.equal(fromMlflow(readPlace("#/experiments/0/runs/abc/model-metrics")), "#/experiments/0/runs/abc/charts");
  assert.equal(fromMlflow(readPlace("#/experiments/0/runs/abc")), null);
  assert.equal(fromMlflow(readPlace("#/compare-runs?runs=nonsense")), null);
});

test("the first columns are those that tell runs apart", () => {
  const columns = firstColumns(summary, false);
  assert.deepEqual(columns, ["attributes.start_time", "attributes.duration", "metrics.val/accuracy", "metrics.train/loss", "params.lr", "tags.team"]);
  assert.deepEqual(constants(summary), [{ key: "dataset", value: "mnist" }]);
  assert.equal(goalOf(summary), "metrics.val/accuracy");
  assert.equal(column("nonsense.x"), null);
  assert.equal(column("attributes.__proto__"), null);
  assert.equal(column("tags.constructor")!.label, "constructor");
  assert.ok(!isDown("constructor"));
});

test("the direction of a metric is guessed, and can be said", () => {
  for (const key of ["loss", "val/loss", "test_rmse", "perplexity", "epoch_time_s"]) assert.ok(isDown(key), key);
  for (const key of ["accuracy", "r2", "f1", "auc", "glossary"]) assert.ok(!isDown(key), key);
  assert.ok(!isDown("loss", { loss: "up" }));
  assert.deepEqual(readDirections('{"a":"up","b":"sideways","__proto__":"down"}'), { a: "up" });
  assert.deepEqual(readDirections("[1"), {});
  assert.equal(orderTerm("metrics.val/loss", false), "metrics.`val/loss` ASC");
});

test("only what is in view exists", () => {
  assert.deepEqual(rowSpan(3000, 600, 30, 10_000, 2), { from: 98, to: 122 });
  assert.deepEqual(rowSpan(0, 600, 30, 3), { from: 0, to: 3 });
  assert.deepEqual(rowSpan(9_000_000, 600, 30, 10), { from: 10, to: 10 });
  const edge = edges(Array.from({ length: 500 }, () => 100));
  const span = columnSpan(10_000, 1000, edge, 0);
  assert.ok(span.to - span.from <= 12 && span.from <= 100 && span.to >= 110);
  assert.deepEqual(reordered(["a", "b", "c"], "c", "a", false), ["c", "a", "b"]);
  assert.deepEqual(reordered(["a", "b", "c"], "a", "c", true), ["b", "c", "a"]);
});

test("runs have a colour each, the same every time", () => {
  const ids = Array.from({ length: 12 }, (_, at) => `run-${at}`);
  assert.equal(new Set(colorsOf(ids).values()).size, PALETTE.length);
  assert.deepEqual(colorsOf(ids), colorsOf(ids));
});

test("smoothing starts without bias and counts buckets", () => {
  assert.deepEqual(ema([5, 5, 5], 0.9).map((one) => Math.round(one * 1e9) / 1e9), [5, 5, 5]);
  assert.deepEqual(ema([1, 2], 0), [1, 2]);
  const fine = ema([1, 1, 1, 1, 2, 2, 2, 2], 0.5).at(-1)!;
  const coarse = ema([1, 2], 0.5, [4, 4]).at(-1)!;
  assert.ok(Math.abs(fine - coarse) < 1e-12);
  assert.ok(Number.isFinite(ema([NaN, 1], 0.5)[1]!));
});

test("scales fit what they are given", () => {
  assert.equal(scaleOf(["0.001", "0.01", "1"]).kind, "log");
  assert.equal(scaleOf([1, 2, 3]).kind, "linear");
  assert.equal(scaleOf(["adam", "sgd"]).kind, "category");
  assert.equal(scaleOf(["1", "sgd"]).kind, "category");
  assert.equal(scaleOf([1, null, "NaN"]).at("NaN"), null);
  assert.ok(Math.abs(scaleOf([2, 2]).at(2)! - 0.5) < 1e-9);
  assert.deepEqual(ticks(0, 1, 5), [0, 0.2, 0.4, 0.6, 0.8, 1]);
});

test("what matters is found", () => {
  assert.deepEqual(ranks([10, 20, 20, 5]), [2, 3.5, 3.5, 1]);
  assert.ok(explained(["a", "a", "b", "b"], [1, 1, 5, 5]) > 0.99);
  const found = weights({ "params.lr": ["1", "2", "3", "4", "5"], "params.o": ["a", "b", "a", "b", "a"], "metrics.m": [1, 4, 9, 16, 25] }, ["params.o", "params.lr"], "metrics.m");
  assert.equal(found[0]!.key, "params.lr");
  assert.deepEqual([found[0]!.strength, found[0]!.direction], [1, 1]);
});

test("differences are by value", () => {
  assert.ok(same("0.10", "0.1"));
  assert.ok(same("NaN", "NaN"));
  assert.ok(!same("a", null));
  const rows = diffRows({ "params.lr": ["0.1", "0.10"], "params.o": ["a", "b"], "attributes.start_time": [1, 2] });
  assert.deepEqual(rows.map((one) => [one.key, one.differs]), [["lr", false], ["o", true], ["start_time", false]]);
  assert.equal(change(1.1, 1), "+10.0 %");
  assert.equal(change(1, 0), "");
  assert.deepEqual(datasetTrouble([[["wine", "a"]], [["wine", "b"]]]), ["wine"]);
});

test("CSV is read and written as spreadsheets do", () => {
  const table = readCsv('a;b\n"1;2";"say ""hi"""\r\n3;\n', ";");
  assert.deepEqual(table, { head: ["a", "b"], rows: [["1;2", 'say "hi"'], ["3", ""]], cut: false });
  assert.equal(separatorOf("a;b;c\n1,2", "x.csv"), ";");
  assert.equal(csvOf(["k"], [["=cmd()"], ["-1.5"], ['a"b'], [null]]), `k\r\n'=cmd()\r\n-1.5\r\n"a""b"\r\n\r\n`);
  assert.equal(readCsv(`${"x,".repeat(100_000)}\n`, ",").head.length, 200);
});

test("a signature is read from an MLmodel file, folded and quoted", () => {
  const info = readModel([
    "flavors:", "  python_function:", "    loader_module: mlflow.sklearn", "  sklearn:", "    code: null",
    "model_id: m-1", "signature:", `  inputs: '[{"type": "double", "name": "it''s", "required": true},`, `    {"type": "string", "name": "b", "required": false}]'`,
    `  outputs: '[{"type": "tensor", "tensor-spec": {"dtype": "float64", "shape": [-1]}}]'`, "  params: null", "utc_time_created: '2026-01-01'",
  ].join("\n"));
  assert.deepEqual(info.flavors, ["python_function", "sklearn"]);
  assert.deepEqual(info.inputs, [{ name: "it's", type: "double", required: true }, { name: "b", type: "string", required: false }]);
  assert.equal(info.outputs![0]!.type, "float64 [?]");
  assert.equal(info.params, null);
  assert.equal(info.id, "m-1");
});

test("links lead to the web only", () => {
  for (const bad of ["javascript:alert(1)", "JaVaScRiPt:alert(1)", "java\nscript:alert(1)", "\u0001javascript:x", "data:text/html,x", "vbscript:x", "//evil", "/etc", "file:///etc"]) {
    assert.equal(safeLink(bad), null, bad);
  }
  assert.equal(safeLink("https://example.org"), "https://example.org");
});

test("the first rows say what there is until all were looked at", () => {
  const found = summaryOf({ "metrics.loss": [1, "NaN", null], "params.lr": ["0.1", "0.2", null], "params.o": ["a", "a", "a"], "attributes.status": ["x", "x", "x"], "tags.mlflow.parentRunId": [null, null, null] }, 3);
  assert.deepEqual(found.metrics, [{ key: "loss", n: 2, min: 1, max: 1 }]);
  assert.deepEqual(found.params.map((one) => [one.key, one.distinct, one.numeric]), [["lr", 3, true], ["o", 1, false]]);
  assert.equal(found.tags.length, 0);
  assert.ok(!found.complete);
});

test("the least and the greatest of a metric are numbers", () => {
  assert.deepEqual(["lowest", "val/loss", true], [column("lowest.val/loss")?.kind, column("lowest.val/loss")?.key, column("lowest.val/loss")?.numeric]);
  assert.deepEqual([true, true, false], [isExtreme("lowest.a"), isExtreme("highest.a"), isExtreme("metrics.lowest.a")]);
});

test("what lies in a deleted experiment is part of its line", () => {
  const item = (kind: "run" | "model" | "experiment", id: string, experiment: string, bytes = 0, stays: string | null = null) => ({ kind, id, name: id, experiment, bytes, stays });
  const lines = trashLines([item("run", "a", "1", 10), item("run", "b", "2", 5, "no"), item("model", "m", "2", 7), item("experiment", "2", "2")]);
  assert.deepEqual(lines.map((one) => [one.id, one.bytes, one.runs, one.stays]), [["2", 12, 1, "no"], ["a", 10, 0, null]]);
  assert.equal(counted({ run: 2, model: 1, experiment: 1 }), "1 experiment, 2 runs and 1 model");
  assert.equal(counted({ run: 1, model: 0, experiment: 0 }), "1 run");
  assert.equal(counted({ run: 0, model: 0, experiment: 0 }), "nothing");
});

test("columns of a metric's other values", () => {
  assert.deepEqual(["metrics.a/b", "lowest.a.b", "at.-5.x.y", "at.x.y", "params.p", "nope"].map(metricOf), ["a/b", "a.b", "x.y", null, null, null]);
  assert.deepEqual(["metrics.a", "highest.a", "at.5.a", "attributes.artifact_size", "attributes.duration"].map(isSingle), [false, true, true, true, false]);
  assert.equal(column("at.500.val/loss")!.label, "val/loss");
  assert.equal(orderTerm("lowest.val/loss", false), "metrics.`val/loss`.min ASC");
  assert.equal(orderTerm("highest.a`b", true), 'metrics."a`b".max DESC');
  assert.equal(orderTerm("at.5.a", true), null);
});

test("a visit is another one after half an hour away", () => {
  const minute = 60_000;
  assert.deepEqual(visited(null, 1000), { seen: 1000, since: 0 });
  assert.deepEqual(visited({ seen: 1000, since: 7 }, 1000 + 29 * minute), { seen: 1000 + 29 * minute, since: 7 });
  assert.deepEqual(visited({ seen: 1000, since: 7 }, 1000 + 31 * minute), { seen: 1000 + 31 * minute, since: 1000 });
  assert.deepEqual(visited({ seen: 9000, since: 7 }, 1000), { seen: 1000, since: 0 });
});

test("a long removal is made in parts that each end", () => {
  assert.deepEqual(partsOf({}), [{}]);
  const runs = Array.from({ length: 230 }, (_, at) => String(at));
  const parts = partsOf({ runs, models: ["m"], experiments: ["1", "2"] });
  assert.deepEqual(parts.map((one) => one.runs?.length ?? 0), [100, 100, 30, 0, 0, 0]);
  assert.deepEqual(parts.slice(3), [{ models: ["m"] }, { experiments: ["1"] }, { experiments: ["2"] }]);
  assert.deepEqual(partsOf({ runs: [], models: [], experiments: [] }), []);
});

test("frozen links come back whole, or not at all", () => {
  const frozen = { at: 1, where: "metrics.`a'b` > 1", runs: Array.from({ length: 900 }, (_, at) => at.toString(16).padStart(32, "0")) };
  const pieces = frozenTags("k1", frozen);
  assert.ok(pieces.length > 5 && pieces.every(([, value]) => value.length <= 5000));
  const tags = Object.fromEntries(pieces);
  assert.deepEqual(readFrozen("k1", tags), frozen);
  assert.equal(readFrozen("k2", tags), null);
  delete tags[pieces[1]![0]];
  assert.equal(readFrozen("k1", tags), null);
  assert.equal(readFrozen("__proto__", tags), null);
  assert.deepEqual(readFrozen("x", { "millstream.frozen.x.0": '{"at":1,"where":"","runs":["a\' OR 1","b"]}' })?.runs, ["b"]);
  assert.equal(frozenFilter({ at: 1, where: "", runs: [] }), "attributes.run_id IN ('')");
});
