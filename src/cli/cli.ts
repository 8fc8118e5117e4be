#!/usr/bin/env node
import { Misuse } from "./flags.ts";
import type { CommandIo } from "./serveCommand.ts";

/** `node:sqlite` without a flag, and what VS Code 1.105 carries. */
const OLDEST_NODE = [22, 19] as const;

const HELP = `Usage: patchbay COMMAND [options]

  serve       run the proxy in the foreground
  demo        run it on built-in pretend upstreams, with two example requests
  connect     set a coding agent up to use Patchbay, with a key of its own
  disconnect  take that out again
  doctor      look for what is wrong, and mend it on request
  keys        hand out local keys, with limits, quotas and credit
  usage       what was used, by key, model, client or day
  status      where it listens, what is left of the plan, what was used today
  login       sign in with ChatGPT, to use its plan
  logout      end that sign-in
  models      which models can be asked for
  prices      what requests are reckoned with, and newer prices on request

Each command tells its options with --help.
`;

const io: CommandIo = {
  stdout: (text) => void process.stdout.write(text),
  stderr: (text) => void process.stderr.write(text),
  environment: process.env,
  onInterrupt(listener) {
    process.on("SIGINT", listener);
    process.on("SIGTERM", listener);
    return () => {
      process.off("SIGINT", listener);
      process.off("SIGTERM", listener);
    };
  },
};

process.exitCode = await main(process.argv.slice(2));

async function main([command, ...rest]: readonly string[]): Promise<number> {
  if (isOlderThan(OLDEST_NODE)) {
    io.stderr(
      `Patchbay needs Node ${OLDEST_NODE.join(".")} or newer, and this is ${process.version}: run it as "npm run -s patchbay", which brings its own.\n`,
    );
    return 1;
  }
  silenceSqliteNotice();
  // Nobody reads the log any more: no reason to cut the streams of those who are served.
  process.stderr.on("error", () => undefined);
  // A reader that went away (`patchbay usage list | head`) is no failure.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1));
  try {
    switch (command) {
      case "serve":
        return await (await import("./serveCommand.ts")).runServe(rest, io);
      case "demo":
        return await (await import("./demoCommand.ts")).runDemo(rest, io);
      case "usage":
        return await (
          await import("./usageCommand.ts")
        ).runUsage(rest, {
          ...io,
          now: Date.now(),
          terminalWidth: process.stdout.columns,
        });
      case "status":
        return await (await import("./statusCommand.ts")).runStatus(rest, { ...io, now: Date.now() });
      case "keys":
        return await (await import("./keysCommand.ts")).runKeys(rest, io);
      case "connect":
        return await (await import("./connectCommand.ts")).runConnect(rest, io, await clientEffects());
      case "disconnect":
        return await (await import("./disconnectCommand.ts")).runDisconnect(rest, io, await clientEffects());
      case "doctor":
        return await (await import("./doctorCommand.ts")).runDoctor(rest, io, await clientEffects());
      case "client-key":
        return await (await import("./clientKeyCommand.ts")).runClientKey(rest, io);
      case "login":
        return await (await import("./loginCommand.ts")).runLogin(rest, io);
      case "logout":
        return await (await import("./logoutCommand.ts")).runLogout(rest, io);
      case "models":
        return await (await import("./modelsCommand.ts")).runModels(rest, io);
      case "prices":
        return await (await import("./pricesCommand.ts")).runPrices(rest, io);
      case undefined:
      case "help":
      case "--help":
      case "-h":
        io.stdout(HELP);
        return command === undefined ? 2 : 0;
      case "--version":
      case "version":
        io.stdout(`patchbay ${(await import("../node/version.ts")).VERSION}\n`);
        return 0;
      default:
        io.stderr(`patchbay has no command "${command}".\n${HELP}`);
        return 2;
    }
  } catch (error) {
    io.stderr(`${error instanceof Error ? error.message : String(error)}\n`);
    if (!(error instanceof Misuse)) return 1;
    io.stderr(`See \`patchbay ${command} --help\`.\n`);
    return 2;
  }
}

async function clientEffects() {
  const [{ systemConnectEffects }, { clientKeys }] = await Promise.all([
    import("./connectEffects.ts"),
    import("./clientKeys.ts"),
  ]);
  return systemConnectEffects(clientKeys);
}

function isOlderThan([wantedMajor, wantedMinor]: readonly [number, number]): boolean {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  return major < wantedMajor || (major === wantedMajor && minor < wantedMinor);
}

/** Node 22 calls `node:sqlite` experimental at every start; other warnings stay. */
function silenceSqliteNotice(): void {
  process.removeAllListeners("warning");
  process.on("warning", (warning) => {
    if (warning.name !== "ExperimentalWarning") io.stderr(`${warning.name}: ${warning.message}\n`);
  });
}
