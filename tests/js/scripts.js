"use strict";
/* The page's scripts for node: run one after the other in one scope, as in the page, but without a document. */

const { readFileSync, readdirSync } = require("node:fs");
const { dirname, join } = require("node:path");
const vm = require("node:vm");

const { include } = JSON.parse(readFileSync(join(__dirname, "tsconfig.json"), "utf-8"));
const HOME = join(__dirname, dirname(include[0])); // the one place that says where the scripts are
const DAGRE = join(HOME, "vendor", "dagre", "dagre.min.js");

/** What `expression` is in a fresh scope of all scripts but `page.js`, which needs its document at once. */
function fromScripts(expression) {
  const scope = vm.createContext({ structuredClone }); // dagre wants it
  const files = readdirSync(HOME).filter((name) => name.endsWith(".js") && name !== "page.js");
  for (const path of [DAGRE, ...files.map((name) => join(HOME, name))]) {
    vm.runInContext(readFileSync(path, "utf-8"), scope, { filename: path });
  }
  return vm.runInContext(`(${expression})`, scope);
}

/** Values from another scope as ours, so that they are equal where they read equal. */
function plain(value) {
  return JSON.parse(JSON.stringify(value));
}

module.exports = { fromScripts, plain };
