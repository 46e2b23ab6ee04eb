import assert from "node:assert/strict";
import { test } from "node:test";
import type { Summary } from "../src/lib/columns.ts";
import { passes } from "../src/lib/filter.ts";
import { both, complete, condition, filterOf, isPlain } from "../src/lib/query.ts";

const summary: Summary = {
  total: 3, complete: true, capped: false, status: { FINISHED: 3 }, users: ["ana"], children: {},
  metrics: [{ key: "val/loss", n: 3, min: 0.1, max: 0.5 }, { key: "rmse", n: 3, min: 1, max: 1 }],
  params: [{ key: "optimizer", n: 3, distinct: 2, numeric: false, values: [["adam", 2], ["it's", 1]] }],
  tags: [],
};

const labels = (text: string, caret = text.length) => complete(text, caret, summary).options.map((one) => one.label);

test("plain words look for a name, conditions are left alone", () => {
  assert.ok(isPlain("resnet 50"));
  assert.ok(!isPlain("metrics.rmse < 1"));
  assert.ok(!isPlain("params.a IN ('x')"));
  assert.ok(!isPlain("tags.x IS NULL"));
  assert.equal(filterOf("it's"), "attributes.run_name ILIKE '%it''s%'");
  assert.equal(filterOf("  metrics.rmse < 1 "), "metrics.rmse < 1");
  assert.equal(filterOf("a".repeat(32)), `attributes.run_id = '${"a".repeat(32)}'`);
  assert.equal(filterOf(""), "");
});

test("keys are found by any part of their name", () => {
  assert.ok(labels("loss").includes("metrics.val/loss"));
  assert.ok(labels("metrics.").includes("metrics.rmse"));
  assert.equal(labels("metrics.rmse < 1 AND opt")[0], "params.optimizer");
});

test("after a key come operators, after an operator values, after a value AND", () => {
  assert.ok(labels("metrics.rmse ").includes("<="));
  assert.ok(labels("params.optimizer ").includes("ILIKE"));
  assert.deepEqual(labels("params.optimizer = "), ["adam", "it's"]);
  assert.deepEqual(labels("attributes.status = 'FIN"), ["FINISHED"]);
  assert.deepEqual(labels("metrics.rmse < 1 "), ["AND", "OR"]);
  assert.equal(complete("params.optimizer = ", 19, summary).options[1]!.insert, "'it''s' ");
});

test("what is inserted is quoted where it must be", () => {
  const found = complete("val", 3, summary);
  assert.equal(found.options[0]!.insert, "metrics.`val/loss` ");
  assert.deepEqual([found.from, found.to], [0, 3]);
  assert.equal(condition("params", "a b", "=", "x'y"), "params.`a b` = 'x''y'");
  assert.equal(both("a = 1", ""), "a = 1");
  assert.equal(both("a = 1", "b = 2"), "(a = 1) AND (b = 2)");
});

test("nonsense does not stop it", () => {
  for (const text of ["'", "`", "((((", "= = =", "metrics.", "x".repeat(5000), "\u0000", "é ü"]) {
    for (const caret of [0, 1, text.length]) assert.ok(Array.isArray(complete(text, caret, summary).options));
  }
});

test("filters are read where there is no server", () => {
  const cells: Record<string, string | number> = {
    "metrics.val/loss": 0.5, "metrics.a b": 3, "params.lr": "0.01", "params.opt": "it's", "attributes.run_name": "Deep One", "attributes.status": "FINISHED", "metrics.nan": "NaN",
  };
  const yes = (text: string) => assert.equal(passes(text)((id) => cells[id]), true, text);
  const no = (text: string) => assert.equal(passes(text)((id) => cells[id]), false, text);
  for (const text of [
    "", "metrics.`val/loss` < 1", "metrics.val/loss = 0.5 AND params.lr = '0.01'", "metrics.`a b` >= 3", "metric.\"a b\" BETWEEN 2 AND 4",
    "params.opt = 'it''s'", "attributes.run_name ILIKE '%deep%'", "run_name LIKE 'Deep _ne'", "status = 'FINISHED'", "params.opt IN ('x', 'it''s')",
    "params.none IS NULL", "NOT (params.lr = '1' OR metrics.`a b` < 0)", "tags.x IS NULL AND (params.lr IS NOT NULL)", "params.opt NOT IN ('x')", "params.lr < 0.1",
    filterOf("deep"), both("params.lr = '0.01'", condition("metrics", "val/loss", "<=", 0.5)),
  ]) yes(text);
  for (const text of ["metrics.none > 0", "metrics.none != 1", "metrics.nan > 0", "params.none NOT IN ('x')", "run_name LIKE 'deep%'", "NOT params.none IS NULL", "params.opt IN ('x')", "attributes.run_id IN ('')"]) no(text);
  for (const text of ["metrics.x <", "(status = 'A'", "AND", "metrics.x ! 3", "status = 'A' status", "metrics.x IN ()", "metrics.x < > 3", "'a' = 'b'"]) assert.throws(() => passes(text), Error, text);
});
