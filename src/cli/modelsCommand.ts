import { homedir } from "node:os";
import { controlPathOf } from "../node/controlPlace.ts";
import { connectControl } from "../node/controlClient.ts";
import { dataDirectory } from "../node/dataDirectory.ts";
import { type Flags, flagsHelp, readFlags, refuseArguments } from "./flags.ts";
import type { CommandIo } from "./serveCommand.ts";
import { table } from "./table.ts";

const FLAGS = {
  json: { kind: "switch", help: "print JSON" },
  "data-dir": { kind: "text", value: "DIR", help: "the folder whose process is asked" },
} as const satisfies Flags;

const MODELS_HELP = `Usage: patchbay models [options]

Lists the models that can be asked for at the running proxy, and which upstream answers each.

Options:
${flagsHelp(FLAGS)}`;

/** Runs `patchbay models`. Returns the exit code. Throws `Misuse`, and a `ControlError` where the process cannot be asked. */
export async function runModels(commandLine: readonly string[], io: CommandIo): Promise<number> {
  const { values, positionals, help } = readFlags(FLAGS, commandLine, io.environment);
  if (help) {
    io.stdout(MODELS_HELP);
    return 0;
  }
  refuseArguments(positionals);
  const directory =
    values["data-dir"] ??
    dataDirectory({ environment: io.environment, platform: process.platform, homeDirectory: homedir() });
  const client = await connectControl(controlPathOf(directory, io.environment));
  if (client === undefined) {
    io.stderr("No Patchbay runs with this data directory, and only a running one knows its models: start it first.\n");
    return 1;
  }
  const models = await client.models();
  if (values.json === true) io.stdout(`${JSON.stringify(models, null, 2)}\n`);
  else if (models.length === 0) {
    io.stdout("No upstream is set up: sign in with `patchbay login`, or set OPENAI_API_KEY or OPENROUTER_API_KEY.\n");
  } else {
    const columns = [
      { title: "model", align: "left" },
      { title: "upstream", align: "left" },
      { title: "context", align: "right" },
    ] as const;
    io.stdout(
      table(
        columns,
        models.map((model) => [model.id, model.upstream, contextOf(model)]),
      ),
    );
  }
  return 0;
}

function contextOf(model: object): string {
  const length = "context_length" in model ? model.context_length : undefined;
  return typeof length === "number" ? length.toLocaleString("en-US") : "";
}
