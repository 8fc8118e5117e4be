import assert from "node:assert/strict";
import { join } from "node:path";

import { dataDirectory } from "../../src/node/dataDirectory.ts";

const home = join("/", "home", "ada");

describe("the data directory", () => {
  const places: readonly [NodeJS.Platform, Record<string, string>, string][] = [
    ["linux", {}, join(home, ".local", "share", "patchbay")],
    ["linux", { XDG_DATA_HOME: "/data" }, join("/data", "patchbay")],
    ["linux", { XDG_DATA_HOME: "relative" }, join(home, ".local", "share", "patchbay")],
    ["linux", { XDG_DATA_HOME: "" }, join(home, ".local", "share", "patchbay")],
    ["darwin", { XDG_DATA_HOME: "/data" }, join(home, "Library", "Application Support", "Patchbay")],
    ["win32", { LOCALAPPDATA: join("/", "local") }, join("/", "local", "Patchbay")],
    ["win32", {}, join(home, "AppData", "Local", "Patchbay")],
  ];
  for (const [platform, environment, place] of places) {
    it(`is ${place} on ${platform} with ${JSON.stringify(environment)}`, () => {
      assert.equal(dataDirectory({ environment, platform, homeDirectory: home }), place);
    });
  }

  it("is what PATCHBAY_DATA_DIR says, on every platform", () => {
    for (const platform of ["linux", "darwin", "win32"] as const) {
      assert.equal(dataDirectory({ environment: { PATCHBAY_DATA_DIR: "/x" }, platform, homeDirectory: home }), "/x");
    }
  });
});
