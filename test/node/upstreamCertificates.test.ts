import assert from "node:assert/strict";
import { syncBuiltinESMExports } from "node:module";
import tls from "node:tls";
import { createUpstreamTrust } from "../../src/node/upstreamCertificates.ts";

describe("the certificates for upstreams", () => {
  const original = tls.getCACertificates;

  afterEach(() => {
    tls.getCACertificates = original;
    syncBuiltinESMExports();
  });

  it("does without a system store that cannot be read, and says so", () => {
    tls.getCACertificates = (kind) => {
      if (kind === "system") throw new Error("the keychain is locked");
      return original(kind);
    };
    syncBuiltinESMExports();
    const lines: string[] = [];
    const put = (message: string, fields?: object): void => void lines.push(`${message} ${JSON.stringify(fields)}`);
    createUpstreamTrust([], { debug: put, info: put, warn: put, error: put });
    assert.equal(lines.length, 1);
    assert.match(lines[0] ?? "", /operating system.*the keychain is locked/);
  });

  it("does not ask the system for its store where the user wants none of it", () => {
    const asked: unknown[] = [];
    tls.getCACertificates = (kind) => {
      asked.push(kind);
      return original(kind);
    };
    syncBuiltinESMExports();
    createUpstreamTrust([], undefined, false);
    assert.ok(asked.length > 0 && !asked.includes("system"), String(asked));
  });
});
