// Bundles every widget into one ESM file that carries its styles, icons and font: nothing is fetched from elsewhere.
import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const out = join(here, "../athena_widgets/static");
const widgets = ["image_viewer", "run_gallery", "run_dataviz", "motion_traces", "ctf_fit", "volume_viewer"];
const fontPath = join(here, "node_modules/@fontsource-variable/inter/files/inter-latin-wght-normal.woff2");

/** `import svg from "icon:zoom-in"`: one Material Symbol as an inline SVG string. */
const icons = {
  name: "icons",
  setup(builder) {
    const collection = readFile(join(here, "node_modules/@iconify-json/material-symbols/icons.json"), "utf8").then(
      JSON.parse,
    );
    builder.onResolve({ filter: /^icon:/ }, (found) => ({ path: found.path.slice(5), namespace: "icon" }));
    builder.onLoad({ filter: /.*/, namespace: "icon" }, async ({ path }) => {
      const icon = (await collection).icons[path];
      if (!icon) return { errors: [{ text: `Material Symbols has no icon named ${path}` }] };
      const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" width="20" height="20" aria-hidden="true">${icon.body}</svg>`;
      return { contents: `export default ${JSON.stringify(svg)}`, loader: "js" };
    });
  },
};

const font = (await readFile(fontPath)).toString("base64");
const fontCss = `@font-face{font-family:"Inter";font-style:normal;font-weight:100 900;font-display:swap;src:url(data:font/woff2;base64,${font}) format("woff2")}\n`;

await mkdir(out, { recursive: true });
await writeFile(join(out, "inter.css"), fontCss);
await writeFile(join(out, "tokens.css"), await readFile(join(here, "src/tokens.gen.css"), "utf8"));
// what is bundled comes with its licence: Inter under the SIL OFL 1.1, OpenSeadragon under BSD-3-Clause
await copyFile(join(here, "node_modules/@fontsource-variable/inter/LICENSE"), join(out, "LICENCE-Inter.txt"));
await copyFile(join(here, "node_modules/openseadragon/LICENSE.txt"), join(out, "LICENCE-OpenSeadragon.txt"));
await build({
  entryPoints: widgets.map((name) => join(here, `src/${name}.ts`)),
  outdir: out,
  bundle: true,
  format: "esm",
  target: "es2022",
  minify: true,
  legalComments: "eof",
  loader: { ".css": "text", ".woff2": "dataurl" },
  plugins: [icons],
  logLevel: "warning",
});
