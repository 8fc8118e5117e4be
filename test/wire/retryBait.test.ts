import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { errorCatalogue } from "../../src/wire/errors.ts";
import { hasRetryBait, spoken } from "../../src/wire/retryBait.ts";

const SOURCE = new URL("../../src/", import.meta.url).pathname;
/** Whose sentences reach callers of the proxy. */
const ROOMS = ["wire", "ledger", "proxy", "codex"];
/** Errors of other rooms that become answers: those of the places where a sign-in is kept. */
const PASSED_ON = /new SignInError\([\s\S]*?\);/g;

/** The texts in a source file that have more than one word: what stands in quotes, without what is put in when it runs. */
function sentencesOf(source: string): string[] {
  const code = source.replaceAll(/\/\*[\s\S]*?\*\//g, "").replaceAll(/^\s*\/\/.*$/gm, "");
  return [...code.matchAll(/"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`/g)]
    .map(([literal]) => literal.slice(1, -1))
    .filter((text) => /\S\s+\S/.test(text));
}

function sourcesOf(room: string): { readonly name: string; readonly text: string }[] {
  return readdirSync(join(SOURCE, room))
    .filter((name) => name.endsWith(".ts") && name !== "retryBait.ts")
    .map((name) => ({ name: `${room}/${name}`, text: readFileSync(join(SOURCE, room, name), "utf8") }));
}

describe("what agents take for a reason to ask again", () => {
  it("is what opencode looks for in the body of a refusal, whatever its status", () => {
    for (const text of [
      "team-500",
      "429",
      "status 503",
      "the rate-limit one",
      "rate_limit",
      "Too many requests",
      "The service is overloaded.",
      "Service Unavailable",
      "an internal error",
      "server_error",
      "Provider returned error",
      "The process was terminated.",
      "fetch failed",
      "network error",
      "connection refused",
      "socket hang up",
      "ECONNRESET",
      "read ETIMEDOUT",
      "Request timed out",
      "Please try your request again",
      "Resource exhausted",
      "Try again later.",
      "currently at capacity",
    ])
      assert.ok(hasRetryBait(text), text);
    for (const text of ["agent", "gpt-5.5", "60/m", "key_a2b3", "until the window resets", "send the request again"])
      assert.ok(!hasRetryBait(text), text);
    assert.deepEqual([spoken("agent", "this"), spoken("agent-504", "this")], ["agent", "this"]);
  });

  it("stands in no sentence of ours that can reach a caller", () => {
    const sentences = [
      ...ROOMS.flatMap(sourcesOf).map(({ name, text }) => ({ name, sentences: sentencesOf(text) })),
      ...sourcesOf("node").map(({ name, text }) => ({
        name,
        sentences: (text.match(PASSED_ON) ?? []).flatMap(sentencesOf),
      })),
    ].flatMap(({ name, sentences: found }) => found.map((sentence) => ({ name, sentence })));
    const known = ["may not use this model", "was revoked: ask whoever", "unlock it first", "is no longer good"];
    for (const words of known)
      assert.ok(
        sentences.some(({ sentence }) => sentence.includes(words)),
        words,
      );
    assert.ok(sentences.length > 300, String(sentences.length));
    assert.deepEqual(
      sentences.filter(({ sentence }) => hasRetryBait(sentence)),
      [],
    );
  });

  it("stands in the codes of those refusals alone that a wait cures, and of failures that may be repeated", () => {
    const baited = Object.entries(errorCatalogue).filter(([code, { type }]) => hasRetryBait(`${code} ${type}`));
    assert.deepEqual(
      baited.map(([code]) => code),
      ["rate_limit_exceeded", "upstream_unreachable", "upstream_timeout", "internal_error"],
    );
  });
});
