import type { FileEdit } from "./fileEdit.ts";
import type { ClientModel } from "./clientModels.ts";

/** What the places of a client's files depend on. */
export interface ClientPlace {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly platform: NodeJS.Platform;
  readonly homeDirectory: string;
  /** The folder whose project file is edited instead of the user's own; undefined for the user's own. */
  readonly project: string | undefined;
}

/** What a client is connected to. */
export interface ConnectionFacts {
  /** Where the proxy listens, `http://HOST:PORT`. */
  readonly origin: string;
  /** The client's own local key. */
  readonly key: string;
  /** Where that key is kept, for its owner alone. */
  readonly keyFile: string;
  /** A program and its arguments that print the key. */
  readonly keyCommand: readonly string[];
  /** The models to offer, the best one for work first. */
  readonly models: readonly ClientModel[];
  /** The model that the user asked for; undefined to keep what the client has. */
  readonly model: string | undefined;
  /** Whether the client is to give up when the proxy does not run, where it can be told so. */
  readonly isBounded: boolean;
}

/** The texts of the files that a client's planning looks at, by path; undefined where there is no file. */
export type FoundTexts = ReadonlyMap<string, string | undefined>;

/** A way to connect a client. */
export interface ClientMode {
  readonly id: string;
  /** One line for a choice: what it does. */
  readonly help: string;
}

/** What connecting comes to. */
export interface ClientPlan {
  readonly edits: readonly (FileEdit & { readonly path: string })[];
  /** Sentences that the user should have read. */
  readonly notices: readonly string[];
  /** What the user has to enter by hand, ready to be copied; it holds the key. */
  readonly values?: string;
}

/** What a plan is made from. */
export interface PlanInput {
  readonly place: ClientPlace;
  readonly mode: string;
  readonly texts: FoundTexts;
  readonly facts: ConnectionFacts;
}

/** A client that can be connected: a row of the table of clients. Everything in it is pure. */
export interface ClientRow {
  readonly id: string;
  readonly name: string;
  /** Programs by which it is found on the PATH; the first one tells its version with `--version`. */
  readonly programs: readonly string[];
  /** The ways to connect it. */
  readonly modes: readonly [ClientMode, ...ClientMode[]];
  /** Whether a project can have a file of its own. */
  readonly hasProjectFile?: boolean;
  /** What it asks for; chat completions where it is left out. */
  readonly endpoint?: "responses";
  /** Folders and files by which it is found where no program is. */
  readonly traces: (place: ClientPlace) => readonly string[];
  /** The files that planning looks at. */
  readonly reads: (place: ClientPlace) => readonly string[];
  /** The best way for what is found, and why in one sentence; the first mode where it is left out. */
  readonly choose?: (place: ClientPlace, texts: FoundTexts) => { readonly mode: string; readonly reason: string };
  /** Throws a `ClientError` where it cannot be connected like this. */
  readonly plan: (input: PlanInput) => ClientPlan;
}
