import assert from "node:assert/strict";
import { test } from "node:test";
import { placeOf, readModel, versionColumns } from "../src/lib/mlmodel.ts";
import { requirements, textDiff } from "../src/lib/textdiff.ts";
import { addressOf, isPlain, requestOf, template } from "../src/lib/tryit.ts";
import { alsoChanged, deviation, difference, isLuck, judge, levelFor, random, samplesOf } from "../src/lib/verdict.ts";

const A = [0.91, 0.93, 0.92, 0.94, 0.9];
const B = [0.89, 0.9, 0.88, 0.91, 0.87];

const near = (found: number, wanted: number, by: number) => assert.ok(Math.abs(found - wanted) <= by, `${found} is not ${wanted} ± ${by}`);

test("the bootstrap finds the interval that numpy finds", () => {
  // All 5^10 resamples counted, values spread by sqrt(n / (n - 1)): 0.00988 to 0.05012; Welch's t gives 0.0069 to 0.0531.
  const found = difference(A, B, 0.95);
  near(found.difference, 0.03, 1e-12);
  near(found.low, 0.00988, 0.0006);
  near(found.high, 0.05012, 0.0006);
  // 1 to 20 less 3 to 22, the same way: -5.694 to 1.642.
  const wide = difference(Array.from({ length: 20 }, (_, at) => at + 1), Array.from({ length: 20 }, (_, at) => at + 3), 0.95);
  near(wide.low, -5.694, 0.12);
  near(wide.high, 1.642, 0.12);
  assert.deepEqual(difference(A, B, 0.95), found);
  near(deviation(A), 0.015811388300841875, 1e-12);
  assert.equal(deviation([3]), 0);
});

test("many trials need more", () => {
  near(levelFor(2), 0.95, 1e-12);
  near(levelFor(4), 1 - 0.05 / 3, 1e-12);
  // The same two groups among four, all 5^10 resamples counted: 0.84 % of them are at 0.0054 or below, 0.42 % at 0.0032.
  const found = difference(A, B, levelFor(4));
  near(found.low, 0.0054, 0.0023);
  near(found.high, 0.0546, 0.0023);
});

test("groups are judged against the best", () => {
  const sample = (label: string, values: number[]) => ({ label, members: [], values });
  const found = judge([sample("b", B), sample("a", A), sample("near", A.map((one) => one - 0.004)), sample("one", [0.5]), sample("none", [])], false);
  assert.deepEqual(found.map((one) => [one.label, one.told]), [["a", "best"], ["near", "open"], ["b", "worse"], ["one", "few"]]);
  assert.ok(found[2]!.ahead!.low > 0);
  const down = judge([sample("a", A), sample("b", B)], true);
  assert.deepEqual(down.map((one) => [one.label, one.told]), [["b", "best"], ["a", "worse"]]);
  near(down[1]!.ahead!.difference, 0.03, 1e-12);
  assert.deepEqual(judge([], true), []);
});

test("what draws lots makes no groups", () => {
  assert.deepEqual(["seed", "random_state", "cv/fold", "model.seed", "seeds", "speed", "seed_layer"].map(isLuck), [true, true, true, true, true, false, false]);
  const columns = {
    "attributes.run_id": ["1", "2", "3", "4"], "params.lr": ["0.1", "0.10", "1", "1"], "params.seed": ["1", "2", "1", "2"], "params.data": ["x", "x", "x", "x"],
    "metrics.acc": [1, 2, "NaN", 4], "tags.mlflow.source.git.commit": ["a", "a", "b", "b"],
  };
  const { samples, by } = samplesOf(columns, "metrics.acc");
  assert.deepEqual(by, ["params.lr"]);
  assert.deepEqual(samples.map((one) => [one.label, one.members, one.values]), [["lr=0.1", [0, 1], [1, 2]], ["lr=1", [2, 3], [4]]]);
  assert.deepEqual(alsoChanged(columns, [[["w", "1"]], [["w", "1"]], [["w", "2"]], [["w", "1"]]], [0, 1], [2, 3]), ["commit"]);
  assert.deepEqual(alsoChanged(columns, [[["w", "1"]], [["w", "1"]], [["w", "2"]], [["w", "2"]]], [0, 1], [2, 3]), ["commit", "data"]);
});

test("luck is even and repeats", () => {
  const [one, other] = [random(7), random(7)];
  const drawn = Array.from({ length: 20_000 }, () => one());
  assert.deepEqual(drawn.slice(0, 5), Array.from({ length: 5 }, () => other()));
  near(drawn.reduce((sum, value) => sum + value, 0) / drawn.length, 0.5, 0.01);
  near(drawn.filter((value) => value < 0.1).length / drawn.length, 0.1, 0.01);
});

test("texts differ in lines", () => {
  const shown = (a: string, b: string) => textDiff(a, b, 1)?.map((one) => `${one.kind[0]}${one.a ?? ""}:${one.b ?? ""} ${one.text}`);
  assert.equal(textDiff("a\nb", "a\nb"), null);
  assert.deepEqual(shown("a\nb\nc\nd\ne", "a\nb\nX\nd\ne"), ["s: 1", "s2:2 b", "g3: c", "n:3 X", "s4:4 d", "s: 1"]);
  assert.deepEqual(shown("", "x"), ["g1: ", "n:1 x"]);
  assert.deepEqual(shown("a\nb\nc", "b\nc\nd"), ["g1: a", "s2:1 b", "s3:2 c", "n:3 d"]);
  const many = Array.from({ length: 3000 }, (_, at) => `line ${at}`);
  const found = textDiff(many.join("\n"), [...many].reverse().join("\n"))!;
  assert.equal(found.filter((one) => one.kind === "gone").length, 3000);
});

test("packages of a requirements file", () => {
  const found = requirements("mlflow==3.17\nScikit_Learn >= 1.2 # why\n\n# no\n-r other.txt\nuvicorn[standard]==0.30; python_version < '3.12'\nnumpy\ngit+https://x.org/y");
  assert.deepEqual([...found], [["mlflow", "3.17"], ["scikit-learn", ">= 1.2"], ["uvicorn", "0.30[standard] ; python_version < '3.12'"], ["numpy", "any"]]);
});

test("versions know where their files are", () => {
  const id = "a".repeat(32);
  const model = `m-${"b".repeat(32)}`;
  const place = (source: string, model_id = "") => placeOf({ source, run_id: id, model_id });
  assert.deepEqual(place(`runs:/${id}/model/`), { id, folder: "model" });
  assert.deepEqual(place(`file:///x/0/${id}/artifacts/a/b`), { id, folder: "a/b" });
  assert.deepEqual([place(`models:/${model}`), place(`file:///x/0/models/${model}/artifacts`), place("s3://x/y", model)], Array(3).fill({ id: model, folder: "" }));
  assert.equal(place(`runs:/${"c".repeat(32)}/model`), null);
  assert.equal(place("s3://x/y"), null);
});

test("versions are compared by what they are and what their runs have", () => {
  const info = readModel(`flavors:\n  sklearn:\n    code: null\nsignature:\n  inputs: '[{"type": "double", "name": "alcohol", "required": false}]'\n`);
  const version = (version: string, run_id: string) => ({ version, run_id, aliases: version === "1" ? ["champion"] : [], current_stage: "None", creation_timestamp: 5 });
  const found = versionColumns([version("2", "b"), version("1", "a"), version("3", "gone")], { "attributes.run_id": ["a", "b"], "attributes.run_name": ["A", "B"], "metrics.rmse": [1, 2], "tags.x": ["u", "v"] }, [{ info, packages: new Map([["numpy", "2.0"]]) }, { info: null, packages: null }, { info: null, packages: null }]);
  assert.deepEqual(found["version.aliases"], [null, "@champion", null]);
  assert.deepEqual([found["version.run"], found["metrics.rmse"], found["tags.x"]], [["B", "A", null], [2, 1, null], undefined]);
  assert.deepEqual([found["inputs.alcohol"], found["packages.numpy"]], [["double, optional", null, null], ["2.0", null, null]]);
});

test("requests are what the signature asks for", () => {
  const field = (name: string, type: string, required = true) => ({ name, type, required });
  const inputs = [field("a", "double"), field("n", "long"), field("s", "string"), field("b", "boolean", false)];
  assert.ok(isPlain(inputs) && !isPlain([field("0", "float64 [?]")]) && !isPlain(null) && !isPlain([]));
  assert.deepEqual(JSON.parse(requestOf(inputs, { a: "1e-3", n: "4", s: "x", b: "" })), { dataframe_split: { columns: ["a", "n", "s", "b"], data: [[0.001, 4, "x", null]] } });
  assert.throws(() => requestOf(inputs, { a: "1", n: "1.5", s: "x" }), /n has to be a whole number/);
  assert.throws(() => requestOf(inputs, { a: "x", n: "1", s: "x" }), /a has to be a number/);
  assert.throws(() => requestOf(inputs, { n: "1" }), /a is missing/);
  assert.deepEqual(JSON.parse(template(inputs)).dataframe_split.data, [[0, 0, "", false]]);
  assert.deepEqual(addressOf(" 127.0.0.1:5001/ "), { origin: "http://127.0.0.1:5001", url: "http://127.0.0.1:5001/invocations" });
  assert.deepEqual(addressOf("https://x.org/models/a/invocations").url, "https://x.org/models/a/invocations");
  for (const bad of ["", "http://", "http://u:p@x.org"]) assert.throws(() => addressOf(bad));
});
