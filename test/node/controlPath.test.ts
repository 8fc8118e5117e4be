import assert from "node:assert/strict";

import { controlPath, guardingDirectory } from "../../src/node/controlPath.ts";

const HERE = {
  environment: {},
  platform: "linux",
  user: "1000",
  dataDirectory: "/home/anna/.local/share/patchbay",
  temporaryDirectory: "/tmp",
} as const;
const LONG = `/home/anna/${"deep/".repeat(30)}`;

describe("the place of the control socket", () => {
  it("is in the user's runtime folder where there is one", () => {
    const path = controlPath({ ...HERE, environment: { XDG_RUNTIME_DIR: "/run/user/1000" } });
    assert.match(path, /^\/run\/user\/1000\/patchbay\/[0-9a-f]{24}\.sock$/);
    assert.equal(guardingDirectory(path), "/run/user/1000/patchbay");
  });

  it("is in the data directory else, and where the runtime folder is no absolute path", () => {
    for (const environment of [{}, { XDG_RUNTIME_DIR: "" }, { XDG_RUNTIME_DIR: "run" }]) {
      assert.match(
        controlPath({ ...HERE, environment }),
        /^\/home\/anna\/\.local\/share\/patchbay\/control\/[0-9a-f]{24}\.sock$/,
      );
    }
  });

  it("is in the user's own temporary folder where the path would be too long for a socket", () => {
    const path = controlPath({ ...HERE, dataDirectory: LONG });
    assert.match(path, /^\/tmp\/patchbay-1000\/[0-9a-f]{24}\.sock$/);
    assert.match(controlPath({ ...HERE, dataDirectory: LONG, temporaryDirectory: LONG }), /^\/tmp\/patchbay-1000\//);
  });

  it("counts bytes, not letters, and leaves room for the closing zero on each system", () => {
    const longest = (platform: "linux" | "darwin", letter: string): number => {
      let length = 1;
      const at = (count: number): string => `/${letter.repeat(count)}`;
      while (controlPath({ ...HERE, platform, dataDirectory: at(length + 1) }).startsWith(at(1))) length += 1;
      return Buffer.byteLength(controlPath({ ...HERE, platform, dataDirectory: at(length) }));
    };
    assert.equal(longest("linux", "a"), 107);
    assert.equal(longest("darwin", "a"), 103);
    assert.ok(longest("linux", "ä") <= 107);
  });

  it("is another one for each data directory, and the same for the same", () => {
    const runtime = { ...HERE, environment: { XDG_RUNTIME_DIR: "/run/user/1000" } };
    assert.equal(controlPath(runtime), controlPath({ ...runtime }));
    assert.notEqual(controlPath(runtime), controlPath({ ...runtime, dataDirectory: "/home/anna/other" }));
  });

  it("is a named pipe on Windows, of that user and folder, which no folder guards", () => {
    const windows = { ...HERE, platform: "win32", user: "Anna", dataDirectory: "C:\\Users\\Anna\\Patchbay" } as const;
    const path = controlPath(windows);
    assert.match(path, /^\\\\\.\\pipe\\patchbay-[0-9a-f]{24}$/);
    assert.equal(path, controlPath({ ...windows, dataDirectory: "c:\\users\\anna\\patchbay" }));
    assert.notEqual(path, controlPath({ ...windows, user: "Bert" }));
    assert.equal(guardingDirectory(path), undefined);
  });
});
