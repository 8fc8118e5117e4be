import type { CommandId } from "./contributions.ts";

/** A command of ours that a sentence advises. */
export interface AdvisedCommand {
  readonly command: CommandId;
  readonly arguments?: readonly string[];
}

interface Wording {
  /** What the command line says. */
  readonly said: RegExp;
  /** What is said here. */
  readonly here: string;
  readonly advises?: AdvisedCommand;
}

const WORDINGS: readonly Wording[] = [
  {
    said: /`patchbay login`/,
    here: '"Patchbay: Sign In with ChatGPT"',
    advises: { command: "patchbay.signInChatgpt" },
  },
  {
    said: /run `patchbay serve --listen` elsewhere/,
    here: "choose another port in the settings",
    advises: { command: "patchbay.openSettings", arguments: ["patchbay.port"] },
  },
  {
    said: /Open VS Code with Patchbay, or run `patchbay serve`/,
    here: 'Run "Patchbay: Start Proxy"',
    advises: { command: "patchbay.startProxy" },
  },
  {
    said: /`patchbay status` shows/,
    here: '"Patchbay: Show Usage" shows',
    advises: { command: "patchbay.showUsage" },
  },
  { said: /`patchbay connect [\w-]+ --mode copy` prints/, here: 'the mode "copy" shows' },
  { said: /\buse --mode copy/i, here: 'choose the mode "copy"' },
  { said: /set OPENAI_API_KEY or OPENROUTER_API_KEY/, here: "set an API key" },
  { said: /Give its --data-dir, or end it/, here: "End it" },
  { said: / \(`patchbay login --device`\)/, here: "" },
  { said: /choose another --data-dir/, here: "choose another folder with PATCHBAY_DATA_DIR" },
  { said: /; with --bounded it gives up within a minute/, here: "" },
];

/** A sentence for both kinds of users names the editor's way behind the command line's. */
const BOTH = /(?:set [A-Z_]+|run [`'][^`']+[`']|[`'][^`']+[`']|--[a-z-]+(?: [a-z]+)?) \(in VS Code: '([^']+)'\)/g;
const CONNECT = /`patchbay connect ([\w-]+)`/;

/** A sentence that was written for the command line, in the editor's words. */
export function editorWords(sentence: string): string {
  const own = sentence.replaceAll(BOTH, (said, here: string) =>
    said.startsWith("set ") || said.startsWith("run ") ? `run "${here}"` : `"${here}"`,
  );
  const said = WORDINGS.reduce((text, { said, here }) => text.replace(said, here), own);
  return said.replace(CONNECT, '"Patchbay: Connect a Client"');
}

/** The command that such a sentence advises; undefined where it advises none. */
export function advisedCommand(sentence: string): AdvisedCommand | undefined {
  const client = CONNECT.exec(sentence)?.[1];
  if (client !== undefined) return { command: "patchbay.connectClient", arguments: [client] };
  return WORDINGS.find(({ said }) => said.test(sentence))?.advises;
}
