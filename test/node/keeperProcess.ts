/**
 * A child process that keeps a sign-in: for the file and the issuer of its arguments, it prints each access token that it got, on a line each
 * time it is told to by a line.
 */
import { writeSync } from "node:fs";
import { createInterface } from "node:readline";
import { createOauthIssuer } from "../../src/codex/oauthIssuer.ts";
import { createTokenKeeper } from "../../src/codex/tokenKeeper.ts";
import { openCredentialFile } from "../../src/node/credentialFile.ts";
import { listeningLog } from "../ledger/temporaryLedger.ts";

const [path = "", baseUrl = ""] = process.argv.slice(2);
const issuer = createOauthIssuer({ baseUrl, fetch, now: Date.now, userAgent: "test" });
const store = openCredentialFile({ path, issuer: baseUrl, afterSignOut: "empty" });
const keeper = createTokenKeeper({ store, issuer, now: Date.now, log: listeningLog(), allowRefresh: true });

writeSync(1, "ready\n");
for await (const _line of createInterface({ input: process.stdin })) {
  const all = await Promise.all(
    Array.from({ length: 20 }, () =>
      keeper.access().then(
        ({ accessToken }) => accessToken,
        (error: unknown) => `failed: ${String(error)}`,
      ),
    ),
  );
  writeSync(1, `${[...new Set(all)].join(" ")}\n`);
}
