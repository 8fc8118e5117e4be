import assert from "node:assert/strict";
import { KEY_TO_COME } from "../../src/clients/connectClient.ts";
import { changeTitle, fileName, withShortKeys } from "../../src/vscode/shownChange.ts";

const KEY = "pb_AbCdEfGhIjKlMnOpQrStUvWxYz0123456789-_abcd";

describe("a change as the diff shows it", () => {
  it("shows of a key its end only, so that two can be told apart", () => {
    const text = `a = "http://127.0.0.1:1/k/${KEY}/v1"\nb = "${KEY.replace("abcd", "wxyz")}"\n`;
    assert.equal(withShortKeys(text), 'a = "http://127.0.0.1:1/k/pb_***abcd/v1"\nb = "pb_***wxyz"\n');
  });

  it("shows nothing of a short key, and the name that stands for one to come", () => {
    assert.equal(withShortKeys(`pb_choose-a-long-one ${KEY_TO_COME}`), `pb_*** ${KEY_TO_COME}`);
  });

  it("is true to the byte in everything else", () => {
    const text = "# pb\r\nmodel = 'x'\r\n\tmy_pb_setting = 1";
    assert.equal(withShortKeys(text), text);
  });

  it("is titled by the file's name, on every platform", () => {
    assert.equal(fileName("C:\\Users\\ada\\.codex\\config.toml"), "config.toml");
    assert.equal(fileName("/home/ada/.codex/config.toml"), "config.toml");
    const title = (before: string | undefined, after: string | undefined) =>
      changeTitle("Connect Codex CLI", { path: "/c/config.toml", before, after });
    assert.equal(title("a", "b"), "Connect Codex CLI: config.toml");
    assert.equal(title(undefined, "b"), "Connect Codex CLI: config.toml (new file)");
    assert.equal(title("a", undefined), "Connect Codex CLI: config.toml (removed)");
  });
});
