// Activates the bundled extension over a pretend editor and tells what that took: run by activation.test.ts in a process of its own.
const fs = require("node:fs");
const Module = require("node:module");

/** Answers everything: functions give disposables, properties more of the same. */
function anything(known = {}) {
  return new Proxy(function pretend() {}, {
    get: (_target, name) => (name in known ? known[name] : name === "then" ? undefined : anything()),
    set: () => true,
    apply: () => anything({ dispose() {} }),
    construct: () => anything(),
  });
}

const channel = { debug() {}, info() {}, warn() {}, error() {}, show() {}, dispose() {} };
const registered = [];
// A user whom the system does not know, as in some containers, has no home.
if (process.argv.includes("--no-home"))
  require("node:os").homedir = () => {
    throw new Error("ENOENT: uv_os_homedir");
  };
const vscode = anything({
  window: anything({ createOutputChannel: () => channel }),
  workspace: anything({
    getConfiguration: () => ({ get: (name) => (name === "autoStart" ? true : ""), inspect() {} }),
  }),
  commands: anything({
    registerCommand(id) {
      registered.push(id);
      return { dispose() {} };
    },
  }),
});
const load = Module._load;
Module._load = (request, ...rest) => (request === "vscode" ? vscode : load(request, ...rest));

const WATCHED = ["fetch", "Request", "Response", "Headers", "FormData", "WebSocket", "URL", "Buffer", "setTimeout"];
const globals = WATCHED.map((name) => globalThis[name]);
const beforeLoading = process.cpuUsage();
const { activate } = require(process.argv[2]);
const synchronous = [];
for (const name of Object.keys(fs).filter((one) => one.endsWith("Sync"))) {
  const own = fs[name];
  fs[name] = (...given) => {
    synchronous.push(name);
    return own(...given);
  };
}
const subscriptions = [];
activate({
  subscriptions,
  extension: { id: "patchbay.patchbay", packageJSON: { version: "0.0.0" }, extensionKind: 2 },
  extensionUri: {},
  globalState: { get: (_name, otherwise) => otherwise, update: async () => undefined },
  secrets: anything(),
  asAbsolutePath: () => "/nowhere",
});
const { user, system } = process.cpuUsage(beforeLoading);
const changedGlobals = WATCHED.filter((name, index) => globalThis[name] !== globals[index]);
process.stdout.write(
  JSON.stringify({
    cpuMs: (user + system) / 1000,
    synchronous,
    registered,
    subscriptions: subscriptions.length,
    changedGlobals,
  }),
);
process.exit(0);
