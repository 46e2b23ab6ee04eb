// Builds the pages into src/mlflow/server/static, or runs the unit tests (--tests).
import { createHash } from "node:crypto";
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import * as esbuild from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const out = resolve(here, "../src/mlflow/server/static");

const common = {
  bundle: true,
  format: "esm",
  target: ["chrome109", "firefox115", "safari16.4"],
  jsx: "automatic",
  jsxImportSource: "preact",
  logLevel: "warning",
  // Whether the data is in the page itself.
  define: { ONE_FILE: "false" },
};

if (process.argv.includes("--tests")) {
  const folder = join(here, "tests");
  const built = join(here, "node_modules", ".tests");
  rmSync(built, { recursive: true, force: true });
  const entries = readdirSync(folder).filter((name) => name.endsWith(".test.ts"));
  await esbuild.build({
    ...common,
    entryPoints: entries.map((name) => join(folder, name)),
    outdir: built,
    outExtension: { ".js": ".mjs" },
    platform: "node",
    target: "node20",
    sourcemap: "inline",
  });
  const files = entries.map((name) => join(built, name.replace(/\.ts$/, ".mjs")));
  process.exit(spawnSync(process.execPath, ["--test", "--test-reporter=dot", ...files], { stdio: "inherit" }).status ?? 1);
}

const watch = process.argv.includes("--watch");

/** Writes the page that holds everything, for runs that are sent as one file; the server puts title and data into it. */
async function oneFile() {
  const { outputFiles } = await esbuild.build({
    ...common,
    entryPoints: [join(here, "src/main.tsx")],
    outdir: out,
    format: "iife",
    minify: true,
    write: false,
    define: { ONE_FILE: "true" },
    loader: { ".svg": "dataurl" },
  });
  const text = (ending) => outputFiles.find((one) => one.path.endsWith(ending)).text;
  const [script, style] = [text(".js"), text(".css")];
  const digest = (content) => `'sha256-${createHash("sha256").update(content).digest("base64")}'`;
  // Its own program and style, pictures that are in it, and nothing from anywhere else.
  const policy = `default-src 'none'; script-src ${digest(script)}; style-src ${digest(style)}; img-src data: blob:; media-src data: blob:; form-action 'none'; base-uri 'none'`;
  writeFileSync(join(out, "onefile.html"), [
    `<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<meta name="viewport" content="width=device-width, initial-scale=1">`,
    `<meta name="color-scheme" content="light dark">\n<meta http-equiv="Content-Security-Policy" content="${policy}">\n<title>{{title}}</title>`,
    `<style>${style}</style>\n</head>\n<body>\n<div id="app"></div>\n<noscript>This page needs JavaScript.</noscript>`,
    `<script type="application/json" id="data">{{data}}</script>\n<script>${script}</script>\n</body>\n</html>\n`,
  ].join("\n"));
}

/** Writes index.html with the names that the bundles got, and a compressed copy of each file. */
function finish(result) {
  const entries = Object.entries(result.metafile.outputs);
  const main = entries.find(([, file]) => file.entryPoint?.endsWith("src/main.tsx"));
  const theme = entries.find(([, file]) => file.entryPoint?.endsWith("src/theme-first.ts"));
  const name = (path) => path.split("/").pop();
  const html = readFileSync(join(here, "index.html"), "utf8")
    .replace("{{theme}}", `./static/${name(theme[0])}`)
    .replace("{{script}}", `./static/${name(main[0])}`)
    .replace("{{style}}", `./static/${name(main[1].cssBundle)}`);
  writeFileSync(join(out, "index.html"), html);
  if (watch) return;
  for (const file of readdirSync(out)) {
    if (/\.(js|css|html|svg)$/.test(file) && file !== "onefile.html") {
      const body = readFileSync(join(out, file));
      writeFileSync(join(out, `${file}.gz`), gzipSync(body, { level: 9 }));
    }
  }
  // What the bundle was made from, so that scripts can tell whether it is stale.
  writeFileSync(join(out, "sources.txt"), `${fingerprint()}\n`);
}

/** A digest of everything that goes into the bundle; tools/build_ui.py computes the same. */
function fingerprint() {
  const hash = createHash("sha256");
  const walk = (folder) => {
    for (const entry of readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) walk(path);
      else hash.update(readFileSync(path));
    }
  };
  walk(join(here, "src"));
  for (const name of ["build.mjs", "index.html", "package-lock.json", "package.json", "tsconfig.json"]) {
    hash.update(readFileSync(join(here, name)));
  }
  return hash.digest("hex");
}

rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });
const options = {
  ...common,
  entryPoints: [join(here, "src/main.tsx"), join(here, "src/theme-first.ts"), join(here, "src/caller.ts")],
  outdir: out,
  entryNames: "[name]-[hash]",
  chunkNames: "[name]-[hash]",
  assetNames: "[name]-[hash]",
  splitting: true,
  minify: !watch,
  sourcemap: watch ? "inline" : false,
  metafile: true,
  loader: { ".svg": "file" },
  plugins: [{ name: "finish", setup: (build) => build.onEnd((result) => result.errors.length || finish(result)) }],
};
if (watch) await (await esbuild.context(options)).watch();
else {
  await oneFile();
  await esbuild.build(options);
}
