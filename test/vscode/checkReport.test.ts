import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fine, type Finding, repairable, told } from "../../src/clients/finding.ts";
import { mendWishes, reportChoices, reportSummary, reportText } from "../../src/vscode/checkReport.ts";
import { advisedCommand, editorWords } from "../../src/vscode/editorWords.ts";

const RECONNECT: Finding = {
  subject: "codex",
  level: "problem",
  what: "Its key is refused.",
  fix: { kind: "reconnect", connection: "codex", freshKey: true },
};
const FOUND: readonly Finding[] = [
  fine("proxy", "Patchbay runs."),
  told("proxy", "warning", "Nobody is signed in.", "Run `patchbay login`, if you want to use a plan."),
  RECONNECT,
  { ...RECONNECT, what: "It was changed.", fix: { kind: "reconnect", connection: "codex", freshKey: false } },
  fine("opencode", "It is not connected: `patchbay connect opencode` does that."),
];

describe("the report of a check-up", () => {
  it("has a heading for each subject, and a fix to choose for each finding that has one", () => {
    const groups = reportChoices(FOUND, (subject) => subject.toUpperCase());
    assert.deepEqual(
      groups.map(({ title }) => title),
      ["PROXY", "CODEX", "OPENCODE", "All of it"],
    );
    const actions = groups.flatMap(({ choices }) => choices.map(({ value }) => value));
    assert.deepEqual(
      actions.map(({ kind }) => kind),
      ["nothing", "run", "mend", "mend", "run", "mend", "open"],
    );
  });

  it("runs the command that a finding advises", () => {
    const actions = reportChoices(FOUND, String).flatMap(({ choices }) => choices.map(({ value }) => value));
    assert.deepEqual(
      actions.filter((action) => action.kind === "run").map(({ advised }) => advised),
      [{ command: "patchbay.signInChatgpt" }, { command: "patchbay.connectClient", arguments: ["opencode"] }],
    );
  });

  it("mends a connection once, with a new key where any finding asks for one", () => {
    assert.deepEqual(mendWishes(FOUND), [{ connection: "codex", freshKey: true }]);
    assert.deepEqual(mendWishes([fine("proxy", "Patchbay runs.")]), []);
  });

  it("mends files that are not of our making, each by itself or with all the rest", () => {
    const repair = { path: "/c", format: "toml", at: ["profile"], value: undefined } as const;
    const groups = reportChoices(
      [RECONNECT, repairable("codex", "It does not start.", "Take it out.", repair)],
      String,
    );
    const [own, all] = [groups[0]?.choices[1], groups[1]?.choices[0]];
    assert.deepEqual(own?.value, { kind: "mend", connections: [], repairs: [repair] });
    assert.match(own?.detail ?? "", /^Take it out\. Choose this/);
    const wishes = [{ connection: "codex", freshKey: true }];
    assert.deepEqual(all?.value, { kind: "mend", connections: wishes, repairs: [repair] });
  });

  it("says in a sentence how things are", () => {
    assert.equal(reportSummary(FOUND), "2 problems, 1 warning");
    assert.equal(reportSummary([fine("proxy", "Patchbay runs.")]), "All is as it should be");
  });

  it("is text with a line for each finding, in the editor's words", () => {
    const text = reportText(FOUND);
    assert.match(text, /^ok {7}proxy {5}Patchbay runs\.$/m);
    assert.match(text, /Run "Patchbay: Sign In with ChatGPT", if you want to use a plan\./);
    assert.doesNotMatch(text, /`patchbay/);
  });
});

describe("a sentence of the command line's", () => {
  it("is said in the editor's words, and leads to the editor's command", () => {
    const cases = [
      ["End it, or run `patchbay serve --listen` elsewhere.", "patchbay.openSettings"],
      ["Open VS Code with Patchbay, or run `patchbay serve`.", "patchbay.startProxy"],
      ["Do what the message says; `patchbay status` shows the upstreams.", "patchbay.showUsage"],
      ["Sign in with `patchbay login`, or set OPENAI_API_KEY or OPENROUTER_API_KEY.", "patchbay.signInChatgpt"],
      ["It is not connected: `patchbay connect vscode-chat` does that.", "patchbay.connectClient"],
    ] as const;
    for (const [sentence, command] of cases) {
      assert.doesNotMatch(editorWords(sentence), /`patchbay|_API_KEY/);
      assert.equal(advisedCommand(sentence)?.command, command);
    }
  });

  it("stays as it is where it speaks of neither", () => {
    assert.equal(editorWords("Mend that file first."), "Mend that file first.");
    assert.equal(advisedCommand("Mend that file first."), undefined);
  });

  it("has its words here for each that the clients' room says", () => {
    const folder = join(import.meta.dirname, "..", "..", "src", "clients");
    const ofCommandLine = /`patchbay [a-z]|--(?:mode|bounded|data-dir|yes|fix)\b/;
    const sentences = readdirSync(folder)
      .flatMap((name) => readFileSync(join(folder, name), "utf8").split("\n"))
      .map((line) => line.replaceAll("\\`", "`").replaceAll(/\$\{row\.id\}/g, "codex"))
      .filter((line) => ofCommandLine.test(line));
    assert.ok(sentences.length > 5);
    for (const sentence of sentences) assert.doesNotMatch(editorWords(sentence), ofCommandLine);
  });

  it("offers no option of the command line's", () => {
    const waiting =
      "While Patchbay does not run, Codex waits for it without end; with --bounded it gives up within a minute.";
    assert.equal(editorWords(waiting), "While Patchbay does not run, Codex waits for it without end.");
  });
});
