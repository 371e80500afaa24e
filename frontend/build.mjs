// Bundles src/ into the folder named by the first argument; prints esbuild's entry points as JSON for the manifest.
// Charts and maps are entries of their own so that a page without one never loads them.
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { build } from "esbuild";

const outdir = process.argv[2];
const { metafile } = await build({
  entryPoints: [
    { in: "src/app.ts", out: "app" },
    { in: "src/charts.ts", out: "charts" },
    { in: "src/map.ts", out: "map" },
    { in: "maplibre-gl/dist/maplibre-gl-worker.mjs", out: "map-worker" },
    { in: "src/css/app.css", out: "app" },
    { in: "src/css/map.css", out: "map" },
  ],
  entryNames: "[name]-[hash]",
  chunkNames: "part-[hash]",
  outdir,
  bundle: true,
  splitting: true,
  format: "esm",
  minify: true,
  legalComments: "none",
  target: ["es2022", "chrome111", "firefox113", "safari16.4"],
  metafile: true,
  logLevel: "warning",
});

const files = {};
for (const [path, output] of Object.entries(metafile.outputs)) {
  const file = path.slice(path.lastIndexOf("/") + 1);
  if (!output.entryPoint || file.startsWith("part-")) continue;
  files[file.replace(/-[A-Z0-9]{8}\./, ".")] = file;
}
// What is bundled is distributed: its licences go with it, and those of what it was itself bundled from.
const packages = new Set(Object.keys(metafile.inputs).map((path) => path.match(/node_modules\/((?:@[^/]+\/)?[^/]+)/)?.[1]));
packages.delete(undefined);
for (const name of packages) { // grows while it is walked
  const { dependencies = {} } = JSON.parse(readFileSync(`node_modules/${name}/package.json`, "utf8"));
  for (const one of Object.keys(dependencies)) packages.add(one);
}
const licences = [...packages].sort().map((name) => {
  const folder = `node_modules/${name}`;
  const { version, license } = JSON.parse(readFileSync(`${folder}/package.json`, "utf8"));
  const texts = readdirSync(folder, { withFileTypes: true })
    .filter((file) => file.isFile() && /^(licen[cs]e|notice|copyrightnotice)/i.test(file.name))
    .map((file) => file.name)
    .sort();
  return [`${name} ${version} (${license})`, ...texts.map((file) => readFileSync(`${folder}/${file}`, "utf8"))].join("\n\n");
});
writeFileSync(`${outdir}/licences.txt`, licences.join("\n\n----\n\n"));

process.stdout.write(JSON.stringify(files));
