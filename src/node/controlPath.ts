import { hash } from "node:crypto";
import { dirname, join } from "node:path";

/** What the place of the control socket depends on, as the process sees it. */
export interface ControlSurroundings {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly platform: NodeJS.Platform;
  /** What names the user: the uid, or the account's name on Windows. */
  readonly user: string;
  /** Absolute, without symbolic links: the same folder under another name would be another process. */
  readonly dataDirectory: string;
  readonly temporaryDirectory: string;
}

/** The most bytes that `sun_path` holds besides its closing zero: 108 on Linux (unix(7)), 104 on macOS and the BSDs (unix(4)). */
const LINUX_PATH_BYTES = 107;
const OTHER_PATH_BYTES = 103;
const NAME_CHARACTERS = 24;
const PIPES = "\\\\.\\pipe\\";

/**
 * The control socket of a data directory: in `$XDG_RUNTIME_DIR/patchbay`, else in the data directory, else, where the path would be too
 * long for a socket, in `patchbay-UID` in the temporary directory. A named pipe on Windows.
 */
export function controlPath(surroundings: ControlSurroundings): string {
  const { environment, platform, user, dataDirectory, temporaryDirectory } = surroundings;
  if (platform === "win32") {
    // The file system does not tell apart what is written in capitals.
    const name = shortHash(`${user}\n${dataDirectory}`.toLowerCase());
    return `${PIPES}patchbay-${name}`;
  }
  const name = `${shortHash(dataDirectory)}.sock`;
  const runtime = environment["XDG_RUNTIME_DIR"];
  const directories = [
    // The XDG specification says that relative paths are to be ignored.
    ...(runtime?.startsWith("/") === true ? [join(runtime, "patchbay")] : []),
    join(dataDirectory, "control"),
    join(temporaryDirectory, `patchbay-${user}`),
  ];
  const limit = platform === "linux" ? LINUX_PATH_BYTES : OTHER_PATH_BYTES;
  const fitting = directories.find((directory) => Buffer.byteLength(join(directory, name)) <= limit);
  return join(fitting ?? `/tmp/patchbay-${user}`, name);
}

/** The folder that guards a control socket, for its owner alone; undefined for a named pipe. */
export function guardingDirectory(path: string): string | undefined {
  return path.startsWith(PIPES) ? undefined : dirname(path);
}

function shortHash(text: string): string {
  return hash("sha256", text, "hex").slice(0, NAME_CHARACTERS);
}
