// Compiles handrail.scss and handrail.js into the package's static folder, with the version in a comment.
import { readFileSync, writeFileSync } from "node:fs";
import { buildSync } from "esbuild";
import { compile } from "sass";

const out = "../../src/handrail/core/static/handrail/";
const { version } = JSON.parse(readFileSync("node_modules/govuk-frontend/package.json", "utf8"));
const notice = `/*! Handrail, with GOV.UK Frontend ${version} (MIT, see licence.txt). Built by infra/design. */\n`;

const { css } = compile("handrail.scss", { style: "compressed", loadPaths: ["node_modules/govuk-frontend/dist/govuk"] });
writeFileSync(`${out}handrail.css`, notice + css.replace(/^\uFEFF/, "") + "\n");

const { outputFiles } = buildSync({
  entryPoints: ["handrail.js"],
  bundle: true,
  format: "esm",
  minify: true,
  target: "es2020",
  write: false,
});
writeFileSync(`${out}handrail.js`, notice + outputFiles[0].text);
