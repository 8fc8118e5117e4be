import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import {
  COMMANDS,
  CONTEXT_KEYS,
  type ContextKeys,
  isEnabled,
  SETTINGS,
  USAGE_EDITOR,
  USAGE_VIEW,
} from "../../src/vscode/contributions.ts";

interface Setting {
  readonly default?: unknown;
  readonly scope?: string;
  readonly order?: number;
  readonly markdownDescription?: string;
}

interface Manifest {
  readonly activationEvents: readonly string[];
  readonly extensionKind: readonly string[];
  readonly contributes: {
    readonly commands: readonly {
      readonly command: string;
      readonly title: string;
      readonly category: string;
      readonly enablement?: string;
    }[];
    readonly configuration: readonly { readonly properties: Readonly<Record<string, Setting>> }[];
    readonly menus: Readonly<Record<string, readonly { readonly command: string; readonly when?: string }[]>>;
    readonly views: Readonly<Record<string, readonly { readonly id: string }[]>>;
  };
}

const project = join(import.meta.dirname, "..", "..");
const manifestText = readFileSync(join(project, "package.json"), "utf8");
const manifest = JSON.parse(manifestText) as Manifest;
const names = JSON.parse(readFileSync(join(project, "package.nls.json"), "utf8")) as Readonly<Record<string, string>>;
const { contributes } = manifest;
const settings = Object.assign({}, ...contributes.configuration.map(({ properties }) => properties)) as Readonly<
  Record<string, Setting>
>;

function sorted(texts: Iterable<string>): readonly string[] {
  return [...texts].sort();
}

/** Every text of ours in quotes within the extension's sources. */
function quotedInSources(): ReadonlySet<string> {
  const folder = join(project, "src", "vscode");
  const text = readdirSync(folder)
    .filter((name) => name.endsWith(".ts"))
    .map((name) => readFileSync(join(folder, name), "utf8"))
    .join("\n");
  return new Set(Array.from(text.matchAll(/"(patchbay\.[\w.]+)"/g), ([, name = ""]) => name));
}

describe("what the extension contributes", () => {
  it("lists the commands that the code has, and no others", () => {
    assert.deepEqual(sorted(contributes.commands.map(({ command }) => command)), sorted(COMMANDS));
  });

  it("lists the settings that the code reads, and no others", () => {
    assert.deepEqual(sorted(Object.keys(settings)), sorted(SETTINGS));
  });

  it("uses context keys that the code sets, and the code sets none that nothing uses", () => {
    const conditions = [
      ...contributes.commands.map(({ enablement }) => enablement),
      ...Object.values(contributes.menus).flatMap((items) => items.map(({ when }) => when)),
      ...Array.from(manifestText.matchAll(/"onContext:([\w.]+)"/g), ([, key]) => key),
    ].join(" ");
    const used = new Set(conditions.match(/patchbay\.[\w.]+/g)?.filter((name) => name !== USAGE_VIEW));
    for (const key of used) assert.ok(CONTEXT_KEYS.includes(key), `${key} is not set`);
    const inCode = quotedInSources();
    for (const key of CONTEXT_KEYS) assert.ok(used.has(key) || inCode.has(key), `${key} is of no use`);
  });

  it("names commands, settings and context keys in the code that exist", () => {
    const known = new Set([
      ...COMMANDS,
      ...SETTINGS,
      ...CONTEXT_KEYS,
      USAGE_EDITOR,
      USAGE_VIEW,
      "patchbay.status",
      "patchbay.statusBar",
      "patchbay.patchbay",
    ]);
    for (const name of quotedInSources()) assert.ok(known.has(name), `${name} does not exist`);
  });

  it("says the same of a command's enablement as the code", () => {
    for (const status of ["starting", "running", "attached", "port_conflict", "failed", "stopped"]) {
      for (const isSignedIn of [false, true]) {
        const keys: ContextKeys = {
          "patchbay.status": status,
          "patchbay.isUp": ["running", "attached", "port_conflict"].includes(status),
          "patchbay.isSignedIn": isSignedIn,
          "patchbay.hasOpenaiKey": false,
          "patchbay.hasOpenrouterKey": false,
          "patchbay.hasUpstream": false,
          "patchbay.hasUsage": false,
          "patchbay.hasClients": false,
          "patchbay.isReviewing": isSignedIn,
        };
        for (const command of COMMANDS) {
          const written = contributes.commands.find((one) => one.command === command)?.enablement;
          assert.equal(isEnabled(command, keys), holds(written, keys), `${command} while ${status}`);
        }
      }
    }
  });

  it("has all its commands in the category Patchbay", () => {
    for (const { command, category } of contributes.commands) assert.equal(category, "Patchbay", command);
  });

  it("lets no workspace change a setting: each is of the machine or of the application", () => {
    for (const [name, { scope }] of Object.entries(settings))
      assert.ok(scope === "machine" || scope === "application", `${name} has the scope ${scope}`);
  });

  it("describes every setting, in an order", () => {
    const orders = Object.entries(settings).map(([name, { order, markdownDescription, default: value }]) => {
      assert.ok(markdownDescription !== undefined && value !== undefined && order !== undefined, name);
      return order;
    });
    assert.equal(new Set(orders).size, orders.length);
  });

  it("has a text for each name in the manifest, and no other", () => {
    const used = new Set(Array.from(manifestText.matchAll(/"%([\w.]+)%"/g), ([, name = ""]) => name));
    assert.deepEqual(sorted(used), sorted(Object.keys(names)));
  });

  it("links to commands of ours only", () => {
    for (const [, command] of JSON.stringify(names).matchAll(/\(command:([\w.]+)\)/g))
      assert.ok((COMMANDS as readonly (string | undefined)[]).includes(command), command);
  });

  it("starts after the editor has, where the agents run, and brings its tab back", () => {
    assert.deepEqual(manifest.activationEvents, ["onStartupFinished", `onWebviewPanel:${USAGE_EDITOR}`]);
    assert.deepEqual(manifest.extensionKind, ["workspace"]);
    assert.ok(
      Object.values(contributes.views)
        .flat()
        .some(({ id }) => id === USAGE_VIEW),
    );
  });
});

/** A when-clause of `!`, `&&`, `||`, `==` and `!=`, as the manifest has them. */
function holds(clause: string | undefined, keys: ContextKeys): boolean {
  if (clause === undefined) return true;
  const values: Readonly<Record<string, unknown>> = { ...keys };
  return clause.split("||").some((all) =>
    all.split("&&").every((written) => {
      const [name = "", value] = written.trim().split(/\s*[!=]=\s*/);
      if (value !== undefined) return (values[name] === value) !== written.includes("!=");
      return name.startsWith("!") ? values[name.slice(1)] !== true : values[name] === true;
    }),
  );
}
