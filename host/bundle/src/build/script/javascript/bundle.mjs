// One strategy with all that it imports to one module: node bundle.mjs ENTRY OUTPUT

import { dirname, resolve } from "node:path";

import { build } from "esbuild";

const [entry, outfile] = process.argv.slice(2).map((path) => resolve(path));

await build({
  stdin: {
    contents: `
      import Strategy from ${JSON.stringify(entry)};
      import { component } from "@portcullis/sdk/component";
      export const guest = component(Strategy);
    `,
    resolveDir: dirname(entry),
    sourcefile: "component.js",
  },
  absWorkingDir: dirname(entry),
  bundle: true,
  format: "esm",
  platform: "neutral",
  mainFields: ["module", "main"],
  target: "es2022",
  outfile,
  logLevel: "warning",
});
