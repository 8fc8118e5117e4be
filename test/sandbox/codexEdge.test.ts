import assert from "node:assert/strict";
import * as fc from "fast-check";
import { codexBody, postCodex, RESPONSES, signIn, type SignedIn } from "./pretendCodex.ts";

const BODIES = [
  "",
  "nonsense",
  "[]",
  "null",
  "7",
  '"text"',
  "{}",
  `{"input":${"[".repeat(100_000)}`,
  `{"input":${"[".repeat(500)}${"]".repeat(500)}}`,
  '{"__proto__":{"store":false}}',
  "\u0000",
];

const ODD = [null, 3, "x", "", [], {}, [null], [[1]], [[]], { type: 3 }, [{ type: "function" }], [{ role: 3 }], true];

describe("sandbox Codex edge", function () {
  this.timeout(30_000);
  let user: SignedIn;
  before(async () => {
    user = await signIn();
  });

  it("answers hostile bodies with a 4xx in JSON", async () => {
    for (const path of [RESPONSES, `${RESPONSES}/compact`]) {
      for (const body of BODIES) {
        const answer = await postCodex(user, body, {}, path);
        assert.ok(answer.status >= 400 && answer.status < 500, `${path} ${body.slice(0, 40)} ${answer.status}`);
        assert.ok("error" in JSON.parse(await answer.clone().text()) || "detail" in JSON.parse(await answer.text()));
      }
    }
    for (const path of ["/sandbox/codex/sign-in", "/sandbox/codex/expire"]) {
      for (const body of BODIES.filter((one) => one !== "" && one !== "{}" && !one.includes("proto"))) {
        assert.equal((await postCodex(user, body, {}, path)).status, 400, `${path} ${body.slice(0, 40)}`);
      }
    }
  });

  it("never stumbles over odd values in any field", async () => {
    const fields = Object.keys(codexBody("")).concat(
      ["tools", "tool_choice", "reasoning", "text", "include", "service_tier", "prompt_cache_key", "client_metadata"],
      ["parallel_tool_calls", "made_up"],
    );
    for (const value of ODD) {
      for (const field of fields) {
        const answer = await postCodex(user, codexBody("Hi", { [field]: value }));
        assert.ok(answer.status < 500, `${field} ${JSON.stringify(value)}`);
        await answer.text();
      }
      for (const field of [
        "type",
        "role",
        "content",
        "id",
        "call_id",
        "output",
        "summary",
        "encrypted_content",
        "tools",
      ]) {
        for (const type of ["message", "function_call", "function_call_output", "reasoning", "additional_tools"]) {
          const item = { type, role: "user", content: [], [field]: value };
          const answer = await postCodex(user, codexBody("Hi", { input: [item] }));
          assert.ok(answer.status < 500, `${type} ${field} ${JSON.stringify(value)}`);
          await answer.text();
        }
      }
    }
  });

  it("never stumbles over any JSON", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom("input", "tools", "text", "reasoning", "tool_choice"),
        fc.jsonValue(),
        async (field, value) => {
          const answer = await postCodex(user, codexBody("Hi", { [field]: value }));
          await answer.body?.cancel();
          assert.ok(answer.status < 500);
        },
      ),
      { numRuns: 200 },
    );
  });

  it("never stumbles over what is sent to the issuer", async () => {
    const paths = [
      [
        "/auth/oauth/token",
        ["grant_type=authorization_code&code=x", "grant_type=refresh_token&refresh_token=rt_a.1.b"],
      ],
      ["/auth/oauth/revoke", ["token=a.b.c", "token=..", "token=rt_.."]],
      ["/auth/oauth/authorize", ["client_id=%00&state=%ff", "redirect_uri=http://localhost:1455/auth/callback"]],
      ["/auth/codex/device", ["user_code=%ff%fe", ""]],
      ["/auth/api/accounts/deviceauth/usercode", ["client_id[]=1"]],
      ["/auth/api/accounts/deviceauth/token", ["device_auth_id=__proto__&user_code=constructor"]],
    ] as const;
    for (const [path, forms] of paths) {
      for (const type of ["application/json", "application/x-www-form-urlencoded", "text/plain", ""]) {
        for (const body of [...BODIES, ...forms]) {
          const answer = await postCodex(user, body, { "content-type": type }, path);
          assert.ok(answer.status < 500, `${path} ${type} ${body.slice(0, 40)}`);
          await answer.text();
        }
      }
      const queried = await user.sandbox.fetch(`http://sandbox${path}?${forms[0] ?? ""}&a=%E0%A4%A`);
      assert.ok(queried.status < 500);
    }
  });

  it("never stumbles over odd tokens", async () => {
    const { accessToken } = user;
    const [head = "", claims = "", signature = ""] = accessToken.split(".");
    for (const token of [
      "x",
      ".",
      "..",
      "...",
      "a.b.c",
      `${head}.${claims}.`,
      `${head}.${claims}.${"0".repeat(signature.length)}`,
      `${head}..${signature}`,
      `${head}.${Buffer.from("{}").toString("base64url")}.${signature}`,
      "x".repeat(10_000),
    ]) {
      const answer = await postCodex(user, codexBody("Hi"), { authorization: `Bearer ${token}` });
      assert.equal(answer.status, 401, token.slice(0, 60));
    }
  });

  it("takes a conversation of ten thousand items", async () => {
    const input = Array.from({ length: 5000 }, (_, index) => [
      { type: "function_call", call_id: `c${index}`, name: "run", arguments: "{}" },
      { type: "function_call_output", call_id: `c${index}`, output: "ran" },
    ]).flat();
    const answer = await postCodex(user, codexBody("", { input }));
    assert.equal(answer.status, 200);
    await answer.text();
  });

  it("remembers a bounded number of sign-ins", async () => {
    const first = await signIn();
    for (let count = 0; count < 500; count += 1) await signIn(first.sandbox);
    assert.equal((await postCodex(first, codexBody("Hi"))).status, 401);
    assert.equal((await postCodex(await signIn(first.sandbox), codexBody("Hi"))).status, 200);
  });
});
