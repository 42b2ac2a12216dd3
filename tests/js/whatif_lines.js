"use strict";
/* Reads {"data": …, "settings": […]} and writes the total and the floor of each, as the page's script computes them. */

const { readFileSync } = require("node:fs");
const { fromScripts } = require("./scripts.js");

const { extrapolated } = fromScripts("{ extrapolated }");
const { data, settings } = JSON.parse(readFileSync(0, "utf-8"));
const found = settings.map((each) => {
  const { total, floor } = extrapolated(data, each);
  return [total, floor];
});
process.stdout.write(JSON.stringify(found));
