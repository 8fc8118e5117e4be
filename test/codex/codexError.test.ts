import assert from "node:assert/strict";
import * as fc from "fast-check";
import { failureOfAnswer, failureOfEvent } from "../../src/codex/codexError.ts";
import { type CodexFailure, failureBody } from "../../src/codex/codexFailure.ts";

const NOW = 1_772_000_000_000;
const NOW_SECONDS = NOW / 1000;
const LIMIT = {
  type: "usage_limit_reached",
  message: "The usage limit has been reached",
  plan_type: "plus",
  resets_at: NOW_SECONDS + 529_498,
  resets_in_seconds: 529_498,
  eligible_promo: null,
};

function answer(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): CodexFailure {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return failureOfAnswer(status, (name) => headers[name], text, NOW);
}

const shape = ({ status, type, code, message }: CodexFailure): unknown[] => [status, type, code, message];
/** What opencode takes for a reason to repeat a request. */
const RETRIED = /\b429\b|50[0-4]|try again later/i;

describe("an error answer of the Codex backend", () => {
  it("keeps the sentence of a FastAPI refusal, whatever its form", () => {
    const sentence = "Unsupported parameter: temperature";
    assert.deepEqual(shape(answer(400, { detail: sentence })), [400, "invalid_request_error", null, sentence]);
    const object = { detail: { message: sentence, code: "unsupported", type: "invalid_request_error" } };
    assert.deepEqual(shape(answer(400, object)), [400, "invalid_request_error", "unsupported", sentence]);
    const list = { detail: [{ loc: ["body", "input", 0], msg: "field required", type: "missing" }] };
    assert.equal(answer(422, list).message, "input.0: field required");
  });

  it("keeps message, type, param and code of an OpenAI error", () => {
    const error = {
      message: "Bad id.",
      type: "invalid_request_error",
      param: "input[2].id",
      code: "unknown_parameter",
    };
    assert.deepEqual(failureBody(answer(400, { error })), { error });
    assert.equal(answer(404, { error }).status, 400);
    assert.equal(answer(404, { error: { ...error, message: "Item with id 'rs_1' not found." } }).status, 404);
    assert.deepEqual(shape(answer(400, { error: { message: "Too long.", code: "context_length_exceeded" } })), [
      400,
      "invalid_request_error",
      "context_length_exceeded",
      "Too long.",
    ]);
  });

  it("says of a sign-in that was refused to sign in again", () => {
    const error = { code: "token_expired", message: "Provided authentication token is expired." };
    assert.deepEqual(shape(answer(401, { error, status: 401 })), [
      401,
      "authentication_error",
      "token_expired",
      "Provided authentication token is expired: sign in to ChatGPT again.",
    ]);
    assert.deepEqual(answer(401, "").type, "authentication_error");
    assert.match(answer(401, "<html>no</html>").message, /sign in/);
  });

  it("tells when the plan's limit resets, in words that no agent takes for a reason to repeat", () => {
    const failure = answer(429, { error: LIMIT });
    assert.deepEqual(shape(failure), [
      429,
      "usage_limit_reached",
      "usage_limit_reached",
      "The usage limit of the ChatGPT Plus plan is reached: it resets in 6 days and 3 hours, and models of other upstreams answer until then.",
    ]);
    assert.equal(failure.retryAfterSeconds, 529_498);
    fc.assert(
      fc.property(fc.integer({ min: -10, max: 40_000_000 }), fc.string(), (seconds, plan) => {
        const error = { ...LIMIT, resets_in_seconds: seconds, plan_type: plan };
        const { message, retryAfterSeconds } = answer(429, { error });
        assert.doesNotMatch(message, RETRIED);
        assert.ok((retryAfterSeconds ?? 0) >= 1);
      }),
    );
  });

  it("finds the reset in the body, else in the headers of the window that is used up", () => {
    const { resets_in_seconds: _, resets_at: __, ...bare } = LIMIT;
    const headers = {
      "x-codex-plan-type": "pro",
      "x-codex-primary-used-percent": "100.0",
      "x-codex-primary-window-minutes": "300",
      "x-codex-primary-reset-after-seconds": "120",
      "x-codex-secondary-used-percent": "40",
      "x-codex-secondary-window-minutes": "10080",
      "x-codex-secondary-reset-after-seconds": "90000",
    };
    assert.equal(answer(429, { error: { ...bare, resets_at: NOW_SECONDS + 60 } }, headers).retryAfterSeconds, 60);
    const primary = answer(429, { error: { ...bare, plan_type: undefined } }, headers);
    assert.equal(primary.retryAfterSeconds, 120);
    assert.match(primary.message, /^The five-hour usage limit of the ChatGPT Pro plan .* in 2 minutes,/);
    const both = answer(429, { error: bare }, { ...headers, "x-codex-secondary-used-percent": "100" });
    assert.equal(both.retryAfterSeconds, 90_000);
    assert.match(both.message, /^The weekly usage limit .* in 1 day and 1 hour,/);
    const at = {
      ...headers,
      "x-codex-primary-reset-after-seconds": "",
      "x-codex-primary-reset-at": String(NOW_SECONDS + 30),
    };
    assert.equal(answer(429, { error: bare }, at).retryAfterSeconds, 30);
    const none = answer(429, { error: bare });
    assert.equal(none.retryAfterSeconds, undefined);
    assert.doesNotMatch(none.message, RETRIED);
  });

  it("knows the plan's limit under the status 404 as well", () => {
    assert.equal(answer(404, { error: LIMIT }).status, 429);
    assert.equal(answer(404, { detail: "You have hit your usage limit." }).status, 429);
  });

  it("passes on how long any other limit asks to wait", () => {
    const error = { message: "Slow down.", type: "tokens", code: "rate_limit_exceeded" };
    const limited = answer(429, { error }, { "retry-after": "7" });
    assert.deepEqual([limited.status, limited.code, limited.retryAfterSeconds], [429, "rate_limit_exceeded", 7]);
    const date = new Date(NOW + 9000).toUTCString();
    assert.equal(answer(429, { error }, { "retry-after": date }).retryAfterSeconds, 9);
    assert.equal(answer(429, { error }, { "retry-after-ms": "1500" }).retryAfterSeconds, 2);
    assert.equal(answer(429, "", { "retry-after": "nonsense" }).retryAfterSeconds, undefined);
    assert.deepEqual(shape(answer(429, { error: { message: "No.", code: "insufficient_quota" } })), [
      429,
      "insufficient_quota",
      "insufficient_quota",
      "No.",
    ]);
  });

  it("says plainly that Cloudflare blocks the network, and shows nothing of its page", () => {
    const page = "<!DOCTYPE html><title>Attention Required! | Cloudflare</title>Enable JavaScript and cookies token-7";
    for (const failure of [
      answer(403, page, { "content-type": "text/html" }),
      answer(503, page),
      answer(403, "{}", { "cf-mitigated": "challenge" }),
    ]) {
      assert.deepEqual([failure.status, failure.type, failure.code], [403, "server_error", "upstream_blocked"]);
      assert.match(failure.message, /another network, or a VPN switched off, may help/);
      assert.doesNotMatch(failure.message, /<|token-7|JavaScript/);
    }
    const gateway = answer(502, "<html><h1>502 Bad Gateway</h1></html>");
    assert.equal(gateway.status, 502);
    assert.doesNotMatch(gateway.message, /</);
  });

  it("names the base URL where the backend sends requests elsewhere", () => {
    for (const status of [301, 302, 307]) {
      const failure = answer(status, "<html>Moved</html>", { location: "https://elsewhere.example/?token=x" });
      assert.deepEqual(shape(failure).slice(0, 3), [502, "server_error", "upstream_no_answer"]);
      assert.match(failure.message, /base URL/);
    }
  });

  it("is the upstream's fault where the upstream failed", () => {
    for (const status of [500, 502, 504]) assert.equal(answer(status, "").status, 502);
    const error = { message: "Busy.", code: "server_is_overloaded" };
    assert.deepEqual(shape(answer(503, { error })), [503, "server_error", "server_is_overloaded", "Busy."]);
    assert.deepEqual(shape(answer(500, { error: { message: "Oops.", type: "x" } })), [
      502,
      "server_error",
      null,
      "Oops.",
    ]);
  });

  it("never holds a credential of the request, and always a sentence, a type and a status", () => {
    const secret = fc.constantFrom(
      "Bearer abc.def-ghi",
      "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln",
      "sk-proj-abcdefgh12345678",
      "rt_abcdefgh12345678",
      "pb_abcdefgh12345678",
    );
    fc.assert(
      fc.property(fc.integer({ min: 400, max: 599 }), secret, fc.nat(5), (status, token, form) => {
        const said = `Invalid token ${token} given`;
        const bodies = [
          { detail: said },
          { error: { message: said } },
          { error: said },
          { message: said },
          said,
          { detail: { msg: said } },
        ];
        const failure = answer(status, bodies[form]);
        assert.doesNotMatch(JSON.stringify(failure), new RegExp(token.slice(-8)));
      }),
    );
    fc.assert(
      fc.property(fc.integer({ min: 100, max: 999 }), fc.oneof(fc.json(), fc.string()), (status, body) => {
        const failure = answer(status, body);
        assert.ok(failure.message.length > 0 && failure.type.length > 0);
        assert.ok(failure.status >= 400 && failure.status <= 599);
      }),
    );
  });
});

describe("a failure inside of a Codex stream", () => {
  const failed = (error: unknown): CodexFailure =>
    failureOfEvent({ type: "response.failed", response: { status: "failed", error } }, NOW);

  it("becomes the status that its code means", () => {
    const statuses = {
      context_length_exceeded: 400,
      invalid_prompt: 400,
      cyber_policy: 400,
      bio_policy: 400,
      invalid_image_format: 400,
      image_too_large: 400,
      usage_not_included: 403,
      insufficient_quota: 429,
      rate_limit_exceeded: 429,
      usage_limit_reached: 429,
      server_is_overloaded: 503,
      slow_down: 503,
      server_error: 502,
      something_new: 502,
    };
    for (const [code, status] of Object.entries(statuses)) {
      const failure = failed({ code, message: "Said." });
      assert.deepEqual([failure.code, failure.status], [code, status]);
      if (code !== "usage_limit_reached") assert.equal(failure.message, "Said.");
    }
  });

  it("waits as long as the message of a rate limit says", () => {
    const waits = { "11.054s": 12, "500ms": 1, "2 seconds": 2, "3m": 180 };
    for (const [text, seconds] of Object.entries(waits)) {
      const message = `Limit reached. Please try again in ${text}. More.`;
      const failure = failed({ code: "rate_limit_exceeded", message });
      assert.deepEqual([failure.retryAfterSeconds, failure.message], [seconds, message]);
    }
  });

  it("reads both forms of an error event, and the headers that come with it over WebSocket", () => {
    const flat = { type: "error", code: "server_error", message: "Oops.", param: null };
    assert.deepEqual(shape(failureOfEvent(flat, NOW)), [502, "server_error", "server_error", "Oops."]);
    assert.deepEqual(
      failureOfEvent({ type: "error", error: { ...flat, type: "server_error" } }, NOW),
      failureOfEvent(flat, NOW),
    );
    const headers = {
      "x-codex-primary-used-percent": "100.0",
      "x-codex-primary-window-minutes": 15,
      "x-codex-primary-reset-after-seconds": 90,
    };
    const error = { type: "usage_limit_reached", message: "The usage limit has been reached", plan_type: "pro" };
    const limited = failureOfEvent({ type: "error", status: 429, error, headers }, NOW);
    assert.deepEqual([limited.status, limited.retryAfterSeconds], [429, 90]);
  });

  it("has a sentence where the upstream gives no reason", () => {
    for (const event of [{}, { type: "error" }, { type: "response.failed", response: { error: null } }])
      assert.deepEqual(shape(failureOfEvent(event, NOW)).slice(0, 3), [502, "server_error", null]);
    fc.assert(
      fc.property(
        fc.dictionary(
          fc.constantFrom("type", "error", "response", "status", "code", "message", "headers"),
          fc.jsonValue(),
        ),
        (event) => {
          const failure = failureOfEvent(event, NOW);
          assert.ok(failure.message.length > 0 && failure.status >= 400 && failure.status <= 599);
        },
      ),
    );
  });
});
