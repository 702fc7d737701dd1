// One module to one component: node componentize.mjs MODULE WIT OUTPUT
//
// componentize-js runs the module's top level once inside a JavaScript engine for wasm and keeps the memory. Every optional
// part of the engine that would need the host (console, clocks, random numbers, fetch) is off, so the component imports nothing.

import { writeFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { chdir } from "node:process";

import { DEFAULT_FEATURES, componentize } from "@bytecodealliance/componentize-js";

const [sourcePath, witPath, output] = process.argv.slice(2).map((path) => resolve(path));

// The module is named by its path below the working directory.
chdir(dirname(sourcePath));
const { component, imports } = await componentize({
  sourcePath,
  witPath,
  worldName: "strategy",
  disableFeatures: DEFAULT_FEATURES,
});
if (imports.length > 0) {
  throw new Error(`the component imports ${imports.map(([name]) => name).join(", ")}`);
}
await writeFile(output, component);
