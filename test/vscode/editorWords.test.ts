import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { SIGN_IN_ADVICE } from "../../src/codex/signInAdvice.ts";
import { endOfSignIn } from "../../src/codex/refreshRefusal.ts";
import { IssuerRefused } from "../../src/codex/tokenAnswer.ts";
import { SETTINGS } from "../../src/vscode/contributions.ts";
import { advisedCommand, editorWords } from "../../src/vscode/editorWords.ts";

const project = join(import.meta.dirname, "..", "..");
const names = JSON.parse(readFileSync(join(project, "package.nls.json"), "utf8")) as Readonly<Record<string, string>>;
/** Whose sentences agents show, and the editor too. */
const ROOMS = ["wire", "ledger", "proxy", "codex"];
const OF_COMMAND_LINE = /[`']patchbay [a-z]+|set OPEN\w+_API_KEY|--(?:allow-host|allow-origin|unknown-price|model)\b/g;

function sentences(): readonly string[] {
  return ROOMS.flatMap((room) => {
    const folder = join(project, "src", room);
    return readdirSync(folder)
      .filter((name) => name.endsWith(".ts"))
      .flatMap((name) => readFileSync(join(folder, name), "utf8").split("\n"))
      .filter((line) => !/^\s*(?:\*|\/)/.test(line));
  });
}

describe("a sentence for both kinds of users", () => {
  it("is said in the editor with the editor's command alone, and leads to it", () => {
    const ended = endOfSignIn(
      new IssuerRefused({ status: 401, code: "refresh_token_expired", description: undefined }),
      false,
    ).error.message;
    assert.match(ended, /run `patchbay login`/);
    assert.equal(editorWords(ended), 'The ChatGPT sign-in has expired: run "Patchbay: Sign In with ChatGPT".');
    assert.equal(advisedCommand(ended)?.command, "patchbay.signInChatgpt");
    const cases = [
      [
        "No OpenAI key is set: set OPENAI_API_KEY (in VS Code: 'Patchbay: Set OpenAI API Key').",
        'No OpenAI key is set: run "Patchbay: Set OpenAI API Key".',
      ],
      [
        "Add some with 'patchbay keys credit key_a +5' (in VS Code: 'Patchbay: Add Credit to a Key').",
        'Add some with "Patchbay: Add Credit to a Key".',
      ],
      [
        "Allow it with --unknown-price allow (in VS Code: 'patchbay.unknownPrice').",
        'Allow it with "patchbay.unknownPrice".',
      ],
      [
        "End the other sign-in, or use a device code (`patchbay login --device`).",
        "End the other sign-in, or use a device code.",
      ],
    ] as const;
    for (const [said, here] of cases) assert.equal(editorWords(said), here);
  });

  it("names the editor's way wherever it names the command line's, by a title or setting that there is", () => {
    const found = sentences().filter((line) => line.search(OF_COMMAND_LINE) !== -1 && line.includes(" "));
    const spoken = found.filter((line) => /["`].*\s.*["`]/.test(line));
    assert.ok(spoken.length > 6, String(spoken.length));
    for (const line of spoken) {
      const said = editorWords(line.replaceAll("${SIGN_IN_ADVICE}", SIGN_IN_ADVICE));
      assert.doesNotMatch(said, new RegExp(OF_COMMAND_LINE.source), line);
    }
    const titles = new Set(Object.values(names).map((title) => `Patchbay: ${title}`));
    for (const line of sentences())
      for (const [, way = ""] of line.matchAll(/\(in VS Code: '([^']+)'\)/g))
        assert.ok(titles.has(way) || SETTINGS.includes(way), way);
  });
});
