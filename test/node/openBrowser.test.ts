import assert from "node:assert/strict";
import { hasBrowser, openBrowser } from "../../src/node/openBrowser.ts";
import { runProgram, startProgram } from "../../src/node/runProgram.ts";

const URL = "https://auth.openai.com/oauth/authorize?a=1&b=2";

describe("opening a browser", () => {
  async function started(platform: NodeJS.Platform, environment: Record<string, string> = {}, url = URL) {
    const calls: (readonly string[])[] = [];
    const start = async (program: string, words: readonly string[]) => {
      calls.push([program, ...words]);
      return program !== "wslview";
    };
    return { opened: await openBrowser(url, { platform, environment, start }), calls };
  }

  it("uses each platform's own way, without a shell", async () => {
    assert.deepEqual(await started("darwin"), { opened: true, calls: [["/usr/bin/open", URL]] });
    assert.deepEqual((await started("win32")).calls, [["rundll32.exe", "url.dll,FileProtocolHandler", URL]]);
    assert.deepEqual((await started("linux")).calls, [["xdg-open", URL]]);
    assert.deepEqual((await started("linux", { WSL_DISTRO_NAME: "Debian" })).calls, [
      ["wslview", URL],
      ["xdg-open", URL],
    ]);
  });

  it("opens nothing but web pages", async () => {
    for (const url of ["file:///etc/passwd", "-a Calculator", 'https://x/"&calc', "https://x/ y"]) {
      assert.deepEqual(await started("linux", {}, url), { opened: false, calls: [] });
    }
  });

  it("is not tried where nobody would see it", () => {
    const has = (platform: NodeJS.Platform, environment: Record<string, string>) =>
      hasBrowser({ platform, environment });
    assert.ok(!has("linux", {}));
    assert.ok(!has("linux", { DISPLAY: "" }));
    assert.ok(has("linux", { WAYLAND_DISPLAY: "wayland-0" }));
    assert.ok(has("darwin", {}));
    assert.ok(!has("darwin", { SSH_CONNECTION: "10.0.0.1 1 10.0.0.2 22" }));
  });
});

describe("running programs", () => {
  it("gives a program its input and takes its output and exit code", async () => {
    const echo = "process.stdin.pipe(process.stdout); process.exitCode = 3";
    assert.deepEqual(await runProgram(process.execPath, ["-e", echo], "a text"), { code: 3, stdout: "a text" });
    await assert.rejects(runProgram("/nonexistent/program", [], ""));
  });

  it("tells whether a program that goes on by itself has failed at once", async () => {
    assert.equal(await startProgram("/nonexistent/program", []), false);
    assert.equal(await startProgram(process.execPath, ["--version"]), true);
  });
});
