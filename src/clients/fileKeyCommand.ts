/**
 * A command that prints a key file, for a program of ours that has no lasting place to be called at: an extension's folder is named for
 * its version, and what is written into a client's file must outlive that.
 */
export function fileKeyCommand(keyFile: string, platform: NodeJS.Platform): readonly string[] {
  return platform === "win32" ? ["cmd.exe", "/d", "/c", "type", keyFile] : ["/bin/cat", keyFile];
}
