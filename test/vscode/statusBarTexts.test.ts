import assert from "node:assert/strict";
import { clockTime, money, shortTokens, span } from "../../src/vscode/amounts.ts";
import { statusText } from "../../src/vscode/statusText.ts";
import { statusTooltip } from "../../src/vscode/statusTooltip.ts";
import { factsOf, keyOf, liveRequest, NOW, planOf, planWindow, upView, usageOf } from "./usageRig.ts";

const OPTIONS = { content: "tokensAndCost", lowPercent: 20, now: NOW } as const;
const TODAY = [usageOf("openai", 12_000, 0.4), usageOf("codex", 345, null)];

describe("the status bar's text", () => {
  it("tells today's tokens and cost at a glance", () => {
    assert.equal(statusText(upView(), factsOf({ today: TODAY }), OPTIONS).text, "$(plug) 12.3k tok · $0.40");
  });

  it("shows what its user chose", () => {
    const text = (content: "tokens" | "cost" | "icon") =>
      statusText(upView(), factsOf({ today: TODAY }), { ...OPTIONS, content }).text;
    assert.deepEqual([text("tokens"), text("cost"), text("icon")], ["$(plug) 12.3k tok", "$(plug) $0.40", "$(plug)"]);
  });

  it("leaves out a cost that nobody knows", () => {
    const facts = factsOf({ today: [usageOf("codex", 345, null)] });
    assert.equal(statusText(upView(), facts, OPTIONS).text, "$(plug) 345 tok");
  });

  it("spins while a request streams", () => {
    const running = new Map([["one", liveRequest("one")]]);
    assert.match(statusText(upView(), factsOf({ running }), OPTIONS).text, /^\$\(loading~spin\)/);
  });

  it("names what runs low, the lowest first, and says nothing of the rest", () => {
    const plan = planOf([planWindow({ usedPercent: 85 }), planWindow({ usedPercent: 95, windowMinutes: 10_080 })]);
    assert.match(statusText(upView(), factsOf({ plan }), OPTIONS).text, /\(7 days: 5% left\)$/);
    assert.doesNotMatch(statusText(upView(), factsOf({ plan: planOf([planWindow()]) }), OPTIONS).text, /left/);
    const facts = factsOf({ keys: [keyOf({ credit_usd: 0.12 })] });
    assert.match(statusText(upView(), facts, OPTIONS).text, /\(key laptop: \$0\.12 left\)$/);
  });

  it("does not warn of a window that has reset, nor of a key that is revoked", () => {
    const plan = planOf([planWindow({ usedPercent: 99, stale: true })]);
    const keys = [keyOf({ credit_usd: 0, state: "revoked" })];
    assert.doesNotMatch(statusText(upView(), factsOf({ plan, keys }), OPTIONS).text, /left/);
  });

  it("does not warn any more when the plan's window has ended, though nobody told", () => {
    const plan = planOf([planWindow({ usedPercent: 100 })], true);
    const later = { ...OPTIONS, now: NOW + 3 * 3_600_000 };
    assert.match(statusText(upView(), factsOf({ plan }), OPTIONS).text, /^\$\(warning\).*0% left/);
    assert.equal(statusText(upView(), factsOf({ plan }), later).text, "$(plug) 0 tok · $0");
  });

  it("warns with the reason when something is wrong", () => {
    const conflict = statusText(upView({ status: "port_conflict", reason: "Port 1 is taken." }), factsOf(), OPTIONS);
    assert.match(conflict.text, /^\$\(warning\)/);
    assert.match(conflict.spoken, /Port 1 is taken\./);
    const failed = upView({ status: "failed", url: undefined, reason: "The disk is full." });
    assert.match(statusText(failed, factsOf(), OPTIONS).spoken, /The disk is full\./);
  });
});

describe("the status bar's tooltip", () => {
  const all = () => true;

  it("says that the sign-in has ended in the editor's words, and leads to a new one", () => {
    const notice =
      "The ChatGPT sign-in has expired: run `patchbay login` (in VS Code: 'Patchbay: Sign In with ChatGPT').";
    const nobody = { email: undefined, planType: undefined, accountId: undefined, expiresAt: undefined };
    const facts = factsOf({ signIn: { state: "expired", ...nobody, notice } });
    const { markdown, commands } = statusTooltip(upView(), facts, NOW, all);
    assert.match(markdown, /has expired: run "Patchbay: Sign In with ChatGPT"\./);
    assert.doesNotMatch(markdown, /patchbay login/);
    assert.equal(commands[0], "patchbay.signInChatgpt");
    assert.match(statusText(upView(), facts, OPTIONS).spoken, /the ChatGPT sign-in has ended/);
    assert.ok(!statusTooltip(upView(), factsOf(), NOW, all).commands.includes("patchbay.signInChatgpt"));
  });

  it("splits today by upstream", () => {
    const { markdown } = statusTooltip(upView(), factsOf({ today: TODAY }), NOW, all);
    assert.match(markdown, /\| OpenAI \| 12,000 \| \\\$0\.40 \|/);
    assert.match(markdown, /\| ChatGPT \| 345 \| cost unknown \|/);
    assert.match(markdown, /\| \*\*All\*\* \| 12,345 \| \\\$0\.40 \+ unknown \|/);
  });

  it("tells when the plan's windows reset, and what is left elsewhere", () => {
    const balances = { openrouter: { used: 1, limit: null, limitRemaining: null, credits: 12.5 } };
    const { markdown } = statusTooltip(upView(), factsOf({ plan: planOf([planWindow()]), balances }), NOW, all);
    assert.match(markdown, /ChatGPT Plus, 5 hours: 10% used, resets (on \w+ \d+ )?at \d\d:\d\d/);
    assert.match(markdown, /OpenRouter: \\\$12\.50 left/);
  });

  it("links to enabled commands only, and trusts no others", () => {
    const { markdown, commands } = statusTooltip(upView(), factsOf(), NOW, (one) => one !== "patchbay.startProxy");
    assert.ok(!commands.includes("patchbay.startProxy"));
    const linked = Array.from(markdown.matchAll(/\(command:([\w.]+)\)/g), ([, command]) => command);
    assert.deepEqual(linked, commands);
  });

  it("lets no name from outside become a link or a command", () => {
    const keys = [keyOf({ label: "[x](command:evil) ![i](https://a) | <b>", credit_usd: 2 })];
    const reason = "see [here](command:evil)";
    const { markdown } = statusTooltip(upView({ reason }), factsOf({ keys }), NOW, all);
    assert.doesNotMatch(markdown, /\]\(command:evil\)|\]\(https/);
  });
});

describe("amounts", () => {
  it("shortens tokens without rounding into the next unit", () => {
    assert.deepEqual([0, 999, 1_000, 12_345, 999_499, 999_500, 1_250_000].map(shortTokens), [
      "0",
      "999",
      "1.0k",
      "12.3k",
      "999k",
      "1.0M",
      "1.3M",
    ]);
  });

  it("writes money as people read it", () => {
    assert.deepEqual([null, 0, 0.001, 0.5, 1_234.5].map(money), ["cost unknown", "$0", "<$0.01", "$0.50", "$1,235"]);
  });

  it("writes a moment to come by the clock, with the day where that is another", () => {
    const noon = new Date(2026, 10, 21, 12).getTime();
    assert.deepEqual(
      [clockTime(noon + 3 * 3_600_000 + 5 * 60_000, noon), clockTime(noon + 86_400_000, noon)],
      ["at 15:05", "on Nov 22 at 12:00"],
    );
  });

  it("writes a length of time in its two largest units", () => {
    assert.deepEqual([0, 30_000, 720_000, 7_500_000, 356_400_000].map(span), [
      "0 s",
      "30 s",
      "12 min",
      "2 h 5 min",
      "4 d 3 h",
    ]);
  });
});
