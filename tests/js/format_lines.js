"use strict";
/* Reads [name of a format, number as text] pairs as JSON from standard input and writes the texts as JSON:
   tests/paper/report/test_format_in_scripts.py compares them with those of report/format.py. */

const { readFileSync } = require("node:fs");
const { fromScripts } = require("./scripts.js");

const { format } = fromScripts("{ format }");
const pairs = JSON.parse(readFileSync(0, "utf-8"));
process.stdout.write(JSON.stringify(pairs.map(([name, number]) => format[name](Number(number)))));
