// The golden frames of wit/v0.1/golden, read as every reader must.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";

import { Frame } from "../src/frame.js";
import { FrameBuilder } from "../src/testing.js";

const golden = new URL("../../../wit/v0.1/golden/", import.meta.url);
const names = readdirSync(golden).filter((file) => file.endsWith(".frame")).map((file) => file.slice(0, -6));
const bytesOf = (name) => new Uint8Array(readFileSync(new URL(`${name}.frame`, golden)));
const meaning = (name) => JSON.parse(readFileSync(new URL(`${name}.json`, golden), "utf8"));

const snake = (name) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** A value as the golden files write it. */
function plain(value) {
  if (typeof value === "bigint") return value.toString();
  if (value instanceof Uint8Array) return Buffer.from(value).toString("hex");
  if (Array.isArray(value)) return value.map(({ price, quantity }) => [plain(price), plain(quantity)]);
  return value ?? null;
}

function recordOf(frame, event) {
  if (event === undefined) return { kind: frame.kind, time: frame.time.toString(), skipped: true };
  const fields = Object.entries(event.constructor.fields).filter(([, field]) => field.as !== null);
  const values = fields.map(([name, field]) => [field.as ?? snake(name), plain(event[name])]);
  return { kind: event.kind, instrument: null, ...Object.fromEntries(values) };
}

test("every golden frame reads as its JSON says", () => {
  assert.ok(names.length >= 25, "the folder lost its files");
  for (const name of names) {
    const frame = new Frame(bytesOf(name));
    const records = [];
    while (frame.next()) records.push(recordOf(frame, frame.event()));
    assert.deepEqual({ lookahead: frame.lookahead.toString(), records }, meaning(name), name);
  }
});

test("what is read can be written again to the byte", () => {
  for (const name of names.filter((name) => name !== "unknown-kind" && name !== "longer-record")) {
    const bytes = bytesOf(name);
    const frame = new Frame(bytes);
    const builder = new FrameBuilder(frame.lookahead);
    while (frame.next()) builder.event({ kind: frame.event().kind, ...frame.event().toJSON() });
    assert.deepEqual(builder.finish(), bytes, name);
  }
});

test("a damaged frame is refused", () => {
  const read = (bytes) => {
    const frame = new Frame(bytes);
    while (frame.next()) frame.event();
  };
  const whole = bytesOf("mixed");
  for (let length = 0; length < whole.length; length += 1) {
    assert.throws(() => read(whole.slice(0, length)), { name: "FrameError" }, `${length} bytes`);
  }
  const changed = (name, offset, value) => {
    const bytes = bytesOf(name);
    bytes[offset] = value;
    return () => read(bytes);
  };
  const cases = [
    ["trade", 0, 0],
    ["trade", 4, 2],
    ["trade", 16, 2],
    ["trade", 24 + 2, 40],
    ["trade", 24 + 2, 47],
    ["trade", 24 + 40, 3],
    ["own-order", 24 + 65, 11],
    ["budget", 24 + 48, 6],
    ["refusal", 24 + 34, 0],
    ["book", 24 + 32, 51],
    ["signal", 24 + 18, 9],
  ];
  for (const [name, offset, value] of cases) {
    assert.throws(changed(name, offset, value), { name: "FrameError" }, `${name} at ${offset}`);
  }
  const two = new FrameBuilder(0n).event({ kind: "timer", time: 2n, id: 1n }).event({ kind: "timer", time: 1n, id: 1n });
  assert.throws(() => read(two.finish()), /go back/);
});
