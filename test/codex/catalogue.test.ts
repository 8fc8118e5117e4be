import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import * as fc from "fast-check";
import { bundledModels } from "../../src/codex/bundledModels.ts";
import { createCatalogue } from "../../src/codex/catalogue.ts";
import { readCatalogue } from "../../src/codex/catalogueModel.ts";
import { handClock, json, pretendBackend } from "./catalogueRig.ts";

const RECORDED: unknown = JSON.parse(
  readFileSync(new URL("../fixtures/codexCatalogue/models-0.169.json", import.meta.url), "utf8"),
);
const HOUR_MS = 3_600_000;
const TOKEN = "secret-token";

type Answer = Parameters<typeof pretendBackend>[0];

function rig(answer: Answer, headers: () => Promise<Record<string, string> | undefined> = signedIn) {
  const clock = handClock();
  const backend = pretendBackend(answer);
  const place = { baseUrl: "https://backend.test/backend-api/codex" };
  const catalogue = createCatalogue({
    ...backend,
    clock,
    cacheMs: 6 * HOUR_MS,
    baseUrl: () => place.baseUrl,
    headers,
  });
  return { clock, backend, catalogue, place, slugs: () => catalogue.models().map((model) => model.slug) };
}

async function signedIn(): Promise<Record<string, string>> {
  return { authorization: `Bearer ${TOKEN}`, "chatgpt-account-id": "acc" };
}

const list = (...slugs: string[]) => ({
  models: slugs.map((slug, priority) => ({ slug, priority, visibility: "list" })),
});

describe("the catalogue of Codex models", () => {
  it("is the bundled one until the upstream was asked", () => {
    const { catalogue, backend } = rig(() => json(list("a")));
    assert.equal(catalogue.models(), bundledModels);
    assert.equal(backend.asked.length, 0);
  });

  it("asks as Codex CLI does, with the headers of its sender", async () => {
    const { catalogue, backend, slugs } = rig(() => json(list("a", "b")));
    await catalogue.refresh();
    assert.deepEqual(slugs(), ["a", "b"]);
    const [asked] = backend.asked;
    assert.equal(asked?.url, "https://backend.test/backend-api/codex/models?client_version=0.169.0");
    assert.equal(asked?.headers.get("authorization"), `Bearer ${TOKEN}`);
    assert.equal(asked?.headers.get("if-none-match"), null);
  });

  it("asks at the first need once somebody is signed in, and notices a sign-in within 50 ms", async () => {
    let isSignedIn = false;
    let looks = 0;
    const { catalogue, backend, clock } = rig(
      () => json(list("a")),
      async () => {
        looks += 1;
        return isSignedIn ? signedIn() : undefined;
      },
    );
    await catalogue.askedOnce();
    clock.pass(49);
    assert.equal(catalogue.askedOnce(), undefined);
    assert.equal(looks, 1, "who is signed in is not looked up for each request");
    isSignedIn = true;
    clock.pass(1);
    await catalogue.askedOnce();
    assert.deepEqual([looks, backend.asked.length], [2, 1]);
    clock.pass(HOUR_MS);
    assert.equal(catalogue.askedOnce(), undefined);
  });

  it("asks once however many wait, and not again before six hours have passed", async () => {
    const { catalogue, backend, clock } = rig(() => json(list("a")));
    await Promise.all([catalogue.refresh(), catalogue.refresh(), catalogue.refresh()]);
    clock.pass(6 * HOUR_MS - 1);
    await catalogue.refresh();
    assert.equal(backend.asked.length, 1);
    clock.pass(1);
    await catalogue.refresh();
    assert.equal(backend.asked.length, 2);
  });

  it("keeps its list where the upstream says that it has not changed", async () => {
    const { catalogue, backend, clock, slugs } = rig(({ headers }) =>
      headers.get("if-none-match") === '"v1"'
        ? new Response(null, { status: 304 })
        : json(list("a"), { headers: { etag: '"v1"' } }),
    );
    await catalogue.refresh();
    clock.pass(6 * HOUR_MS);
    await catalogue.refresh();
    clock.pass(6 * HOUR_MS - 1);
    await catalogue.refresh();
    assert.deepEqual([backend.asked.length, slugs()], [2, ["a"]]);
    assert.deepEqual(backend.lines, []);
  });

  it("asks again when an answer names another version, not when it names the same", async () => {
    let version = "v1";
    const { catalogue, backend, clock, slugs } = rig(() =>
      json(list(version), { headers: { etag: `W/"${version}"` } }),
    );
    await catalogue.refresh();
    clock.pass(60_000);
    for (const same of ['"v1"', "v1", 'W/"v1"', "", undefined]) catalogue.noteEtag(same);
    await catalogue.refresh();
    assert.equal(backend.asked.length, 1);
    version = "v2";
    catalogue.noteEtag('"v2"');
    await catalogue.refresh();
    assert.deepEqual([backend.asked.length, slugs()], [2, ["v2"]]);
  });

  it("asks once for a version that it never gets to see", async () => {
    const { catalogue, backend, clock } = rig(() => json(list("a")));
    await catalogue.refresh();
    for (let minutes = 0; minutes < 5; minutes += 1) {
      clock.pass(60_000);
      catalogue.noteEtag('"v1"');
      await catalogue.refresh();
    }
    assert.equal(backend.asked.length, 2);
  });

  it("asks at most once a minute because of versions that never agree", async () => {
    const { catalogue, backend, clock } = rig(() => json(list("a"), { headers: { etag: '"v1"' } }));
    await catalogue.refresh();
    for (let seconds = 0; seconds < 60; seconds += 1) {
      catalogue.noteEtag(`"other ${seconds}"`);
      await catalogue.refresh();
      clock.pass(1000);
    }
    assert.equal(backend.asked.length, 1);
    catalogue.noteEtag('"other"');
    await catalogue.refresh();
    assert.equal(backend.asked.length, 2);
  });

  it("stays at the last good list through every failure, waits half a minute after it, and never says the token", async () => {
    const failures: (() => Response | Promise<Response>)[] = [
      () => json({ detail: "no" }, { status: 401 }),
      () => new Response("<html>", { status: 403 }),
      () => new Response(`not json ${TOKEN}`),
      () => json([]),
      () => json({ models: [] }),
      () => json({ models: [{ slug: 3 }, null, "x"] }),
      () => new Response(null, { status: 302, headers: { location: "https://elsewhere.test" } }),
      () => Promise.reject(new TypeError(`header ${TOKEN} is invalid`)),
    ];
    for (const fail of failures) {
      let answer: () => Response | Promise<Response> = fail;
      const { catalogue, backend, clock, slugs } = rig(() => answer());
      await catalogue.refresh();
      assert.equal(catalogue.models(), bundledModels);
      await catalogue.refresh();
      assert.equal(backend.asked.length, 1);
      answer = () => json(list("a"));
      clock.pass(30_000);
      await catalogue.refresh();
      assert.deepEqual(slugs(), ["a"]);
      answer = fail;
      clock.pass(6 * HOUR_MS);
      await catalogue.refresh();
      assert.deepEqual([backend.asked.length, slugs()], [3, ["a"]]);
      assert.equal(backend.lines.length, 2);
      assert(!backend.lines.join().includes(TOKEN));
    }
  });

  it("asks nothing and says nothing while nobody is signed in, and at once when somebody is", async () => {
    let headers: Record<string, string> | undefined;
    const { catalogue, backend, slugs } = rig(
      () => json(list("a")),
      async () => headers,
    );
    await catalogue.refresh();
    assert.deepEqual([backend.asked.length, backend.lines.length], [0, 0]);
    headers = await signedIn();
    await catalogue.refresh();
    assert.deepEqual(slugs(), ["a"]);
  });

  it("survives a sign-in that fails", async () => {
    const { catalogue } = rig(
      () => json(list("a")),
      () => Promise.reject(new Error("signed out")),
    );
    await catalogue.refresh();
    assert.equal(catalogue.models(), bundledModels);
  });

  it("asks another backend at once, without the version of the first", async () => {
    const { catalogue, backend, place } = rig(() => json(list("a"), { headers: { etag: '"v1"' } }));
    await catalogue.refresh();
    place.baseUrl = "https://other.test/backend-api/codex";
    await catalogue.refresh();
    await catalogue.refresh();
    assert.equal(backend.asked.length, 2);
    assert.equal(backend.asked[1]?.headers.get("if-none-match"), null);
  });
});

describe("reading the catalogue of Codex models", () => {
  it("finds in the recorded one what the bundled one says, in the order of the upstream", () => {
    const read = readCatalogue(RECORDED);
    assert.equal(read.length, 12);
    assert.deepEqual(
      read.map((model) => ({ ...model, entry: undefined })),
      bundledModels,
    );
    assert(read.every((model) => model.entry?.["slug"] === model.slug));
  });

  it("takes the better one of two entries with the same name", () => {
    const models = [{ slug: "a", priority: 2 }, { slug: "a", priority: 1, visibility: "list" }, { slug: "b" }];
    assert.deepEqual(
      readCatalogue({ models }).map((model) => [model.slug, model.visible]),
      [
        ["a", true],
        ["b", false],
      ],
    );
  });

  it("never throws, whatever the upstream sends", () => {
    const entry = fc.oneof(fc.jsonValue(), fc.dictionary(fc.constantFrom(...NAMES), fc.jsonValue()));
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), fc.record({ models: fc.array(entry) })), (answer) => {
        for (const model of readCatalogue(answer)) {
          assert(model.slug !== "");
          assert(model.efforts.every((effort) => typeof effort === "string"));
        }
      }),
    );
  });
});

const NAMES = ["slug", "priority", "supported_reasoning_levels", "service_tiers", "input_modalities", "context_window"];
