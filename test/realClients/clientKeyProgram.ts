import { runClientKey } from "../../src/cli/clientKeyCommand.ts";

/** What Codex runs for its key: `patchbay client-key`, without the other commands. */
process.exitCode = await runClientKey(process.argv.slice(3), {
  stdout: (text) => void process.stdout.write(text),
  stderr: (text) => void process.stderr.write(text),
  environment: {},
  onInterrupt: () => () => undefined,
});
