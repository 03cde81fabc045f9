// Runs the firmware as a WebAssembly module and ends with its exit code: node run-wasm.mjs MODULE

import { readFileSync } from "node:fs";

const report = [];
const host = { put: (byte) => report.push(byte) };
const { instance } = await WebAssembly.instantiate(readFileSync(process.argv[2]), { host });
// Not process.exit, which may end before the report is out.
process.exitCode = instance.exports.run();
process.stdout.write(Buffer.from(report));
