import assert from "node:assert/strict";
import { test } from "node:test";
import { bandOf, computed, over, union, valueAt } from "../src/lib/align.ts";
import { boxes, quantile } from "../src/lib/boxes.ts";
import { gridOf, isoline } from "../src/lib/contour.ts";
import { ExpressionError, parse } from "../src/lib/expression.ts";
import { binned, heat } from "../src/lib/heat.ts";
import { imageSeries, shotAt, thinned } from "../src/lib/images.ts";
import { front } from "../src/lib/pareto.ts";
import { SvgPen } from "../src/lib/svg.ts";

const near = (found: number, wanted: number) => assert.ok(Math.abs(found - wanted) < 1e-9, `${found} is not ${wanted}`);

test("quartiles are those of numpy and R", () => {
  // numpy.percentile([2, 4, 4, 5, 7, 9, 30], [25, 50, 75]) = 4, 5, 8
  const values = [7, 2, 4, 30, 4, 9, 5];
  const [box] = boxes(values.map(() => "a"), values, ["a"]);
  assert.deepEqual([box!.q1, box!.median, box!.q3], [4, 5, 8]);
  // Whiskers reach 1.5 * 4 beyond: 30 stands alone.
  assert.deepEqual([box!.low, box!.high, box!.n], [2, 9, 7]);
  near(quantile([1, 2, 3, 4], 0.25), 1.75);
  near(quantile([5], 0.9), 5);
  assert.deepEqual(boxes(["b", null, "a", "a"], [1, 2, NaN, null], ["a", "b"]).map((one) => [one.label, one.members]), [["b", [0]]]);
});

test("heat maps average what falls together", () => {
  const found = heat(["0.1", "0.10", "1", null], ["x", "x", "y", "y"], [1, 3, 5, 7]);
  assert.deepEqual(found.x, ["0.1", "1"]);
  assert.deepEqual(found.cells.map((one) => [one.x, one.y, one.mean, one.n]), [[0, 0, 2, 2], [1, 1, 5, 1]]);
  const many = binned(Array.from({ length: 100 }, (_, at) => String(at)));
  assert.deepEqual([many.labels.length, many.at[0], many.at[99], many.at[50]], [10, 0, 9, 5]);
  const logs = binned(Array.from({ length: 40 }, (_, at) => String(10 ** (-at / 10))));
  assert.deepEqual([logs.at[0], logs.at[39]], [9, 0]);
  assert.deepEqual(binned(["", null, undefined]), { labels: [], at: [-1, -1, -1] });
});

test("contours follow heights", () => {
  const grid = gridOf([{ x: 0, y: 0, value: 1 }, { x: 1, y: 1, value: 3 }, { x: 1, y: 1, value: 5 }], 3, 3);
  assert.deepEqual([grid[0], grid[8]], [1, 4]);
  assert.ok(grid[4]! > 1 && grid[4]! < 4);
  assert.deepEqual(isoline([0, 1, 0, 1], 2, 2, 0.25), [[0.25, 0, 0.25, 1]]);
  assert.deepEqual(isoline([0, 1, 0, 1], 2, 2, 2), []);
  assert.deepEqual(isoline([NaN, 1, 0, 1], 2, 2, 0.5), []);
});

test("the Pareto front is what nobody beats", () => {
  const first = [1, 2, 3, 2, null, NaN, 1];
  const second = [5, 3, 1, 4, 0, 0, 5];
  assert.deepEqual(front(first, second, true, true), [0, 6, 1, 2]);
  assert.deepEqual(front(first, second, false, false), [2, 3, 0, 6]);
  assert.deepEqual(front([], [], true, false), []);
});

test("expressions mean what they say", () => {
  const known = ["val/loss", "train/loss", "loss", "a-b", "f1", "val/top 5"];
  const values: Record<string, number> = { "val/loss": 5, "train/loss": 3, loss: 2, "a-b": 7, f1: 0.5, "val/top 5": 9 };
  const count = (text: string) => parse(text, known).value((key) => values[key]!);
  assert.equal(count("val/loss - train/loss"), 2);
  assert.equal(count("val/loss/loss"), 2.5);
  assert.equal(count("a-b-loss"), 5);
  assert.equal(count("`val/top 5` * 2 + f1"), 18.5);
  assert.equal(count("val/top 5 - 1"), 8);
  assert.equal(count("-loss ^ 2 ^ 3"), -256);
  assert.equal(count("2 * (loss + 1) / 3e0"), 2);
  assert.equal(count("max(loss, f1, 3) - min(1, loss) + abs(-loss)"), 4);
  near(count("exp(log(loss))"), 2);
  assert.deepEqual(parse("val/loss - loss*loss", known).keys, ["val/loss", "loss"]);
  assert.ok(Number.isNaN(parse("loss + f1", known).value((key) => (key === "f1" ? NaN : 1))));
});

test("expressions that cannot be read say where", () => {
  const wrong: [string, RegExp, number][] = [
    ["loss +", /missing at the end/, 6], ["loss loss", /not expected/, 5], ["(loss", /“\)” is missing/, 5], ["nope - loss", /neither a metric/, 0],
    ["`other`", /No run here/, 0], ["`loss", /not closed/, 0], ["loss ; 1", /means nothing/, 5], ["1 + 2", /no metric/, 0], ["abs(loss, 1)", /takes 1/, 0],
    ["constructor(loss)", /neither/, 0], ["loss.constructor", /neither/, 0], [`${"(".repeat(60)}loss`, /deeply/, 40], ["x".repeat(500), /Longer/, 400],
  ];
  for (const [text, message, at] of wrong) {
    assert.throws(() => parse(text, ["loss"]), (error) => error instanceof ExpressionError && message.test(error.message) && error.at === at, text);
  }
});

test("lines are brought together", () => {
  const [a, b] = [{ x: [0, 2, 4], y: [0, 4, 0] }, { x: [1, 3], y: [1, 3] }];
  assert.deepEqual([-1, 0, 1, 4, 5].map((at) => valueAt(a, at)), [NaN, 0, 2, 0, NaN]);
  assert.ok(Number.isNaN(valueAt({ x: [], y: [] }, 0)));
  assert.deepEqual(union([a, b]), [0, 1, 2, 3, 4]);
  assert.deepEqual(computed(new Map([["a", a], ["b", b]]), (of) => of("a") - of("b")), { x: [1, 2, 3], y: [1, 2, -1] });
  assert.deepEqual(computed(new Map([["a", a]]), (of) => of("a") + of("none")), { x: [], y: [] });
  assert.deepEqual(over({ x: [0, 1, 2], y: [7, 8, 9] }, { x: [0, 2], y: [10, 30] }), { x: [10, 20, 30], y: [7, 8, 9], isFunction: true });
  assert.equal(over({ x: [0, 1, 2], y: [7, 8, 9] }, { x: [0, 1, 2], y: [1, 5, 2] }).isFunction, false);
});

test("bands are mean and standard deviation", () => {
  const found = bandOf([{ x: [0, 1], y: [1, 2] }, { x: [0, 1], y: [3, 2] }, { x: [0], y: [5] }]);
  assert.deepEqual(found, { x: [0, 1], mean: [3, 2], low: [1, 2], high: [5, 2] });
});

test("a drawing is a document, whatever names are in it", () => {
  const pen = new SvgPen(100, 50, "#fff", (text) => text.length * 6);
  pen.font = '12px "A", sans';
  pen.textAlign = "center";
  pen.fillText('<script>"&', 5, 6);
  pen.save();
  pen.translate(10, 20);
  pen.rotate(Math.PI / 2);
  pen.globalAlpha = 0.5;
  pen.beginPath();
  pen.moveTo(0, 0);
  pen.lineTo(10.123456, 5);
  pen.stroke();
  pen.restore();
  pen.fillRect(0, 0, 1, 1);
  const text = pen.toString();
  assert.ok(text.startsWith('<svg xmlns="http://www.w3.org/2000/svg" width="100"'));
  assert.ok(text.includes('text-anchor="middle"') && text.includes("&lt;script&gt;&quot;&amp;</text>") && !text.includes("<script>"));
  assert.ok(text.includes('d="M0 0L10.12 5"') && text.includes("matrix(0 1 -1 0 10 20)") && text.includes('opacity="0.5"'));
  assert.ok(!text.slice(text.lastIndexOf("<rect")).includes("matrix"));
  assert.equal(pen.measureText("abc").width, 18);
});

test("images are told apart by their names", () => {
  const file = (path: string, is_dir = false) => ({ path: `images/${path}`, is_dir, file_size: 1 });
  const found = imageSeries([
    file("val~dog+step+10+timestamp+5+ab-c.png"), file("val~dog+step+10+timestamp+5+ab-c+compressed.webp"), file("val~dog+step+2+timestamp+4+x.png"),
    file("val~dog+step+2+timestamp+9+y.png"), file("old#cat%step%0%timestamp%1%u.png"), file("old#cat%step%0%timestamp%1%u%compressed.webp"), file("other.png"), file("d+step+1+timestamp+1+z.png", true),
  ]);
  assert.deepEqual([...found.keys()], ["old/cat", "val/dog"]);
  const dogs = found.get("val/dog")!;
  assert.deepEqual(dogs.map((one) => [one.step, one.time]), [[2, 9], [10, 5]]);
  assert.deepEqual([dogs[1]!.full, dogs[1]!.small], ["images/val~dog+step+10+timestamp+5+ab-c.png", "images/val~dog+step+10+timestamp+5+ab-c+compressed.webp"]);
  assert.deepEqual([shotAt(dogs, 1), shotAt(dogs, 9)?.step, shotAt(dogs, 99)?.step], [null, 2, 10]);
  assert.deepEqual(thinned([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], 4), [0, 3, 6, 9]);
});
