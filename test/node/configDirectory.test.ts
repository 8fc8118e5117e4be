import assert from "node:assert/strict";
import { join } from "node:path";
import { configDirectory } from "../../src/node/configDirectory.ts";

describe("the folder of what belongs to the user", () => {
  const directory = (platform: NodeJS.Platform, environment: Record<string, string> = {}) =>
    configDirectory({ platform, environment, homeDirectory: join("/home", "user") });

  it("is where the platform wants it", () => {
    assert.equal(directory("linux"), join("/home", "user", ".config", "patchbay"));
    assert.equal(directory("linux", { XDG_CONFIG_HOME: "/config" }), join("/config", "patchbay"));
    assert.equal(directory("linux", { XDG_CONFIG_HOME: "relative" }), join("/home", "user", ".config", "patchbay"));
    assert.equal(directory("darwin"), join("/home", "user", "Library", "Application Support", "Patchbay"));
    assert.equal(directory("win32"), join("/home", "user", "AppData", "Roaming", "Patchbay"));
    assert.equal(directory("win32", { APPDATA: "/roaming" }), join("/roaming", "Patchbay"));
  });
});
