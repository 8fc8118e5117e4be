/** A command line of these words, for the user's shell. */
export function commandText(words: readonly string[], platform: NodeJS.Platform): string {
  return words.map((word) => quoted(word, platform)).join(" ");
}

/** A line that sets an environment variable to what a command prints. */
export function exportFrom(name: string, command: readonly string[], platform: NodeJS.Platform): string {
  const words = commandText(command, platform);
  return platform === "win32" ? `$env:${name} = (& ${words})` : `export ${name}="$(${words})"`;
}

/** A line that sets an environment variable. */
export function exportText(name: string, value: string, platform: NodeJS.Platform): string {
  // PowerShell takes bare words behind `=` for a command.
  return platform === "win32" ? `$env:${name} = ${inPowerShell(value)}` : `export ${name}=${quoted(value, platform)}`;
}

function quoted(word: string, platform: NodeJS.Platform): string {
  if (/^[\w@%+=:,./-]+$/.test(word)) return word;
  return platform === "win32" ? inPowerShell(word) : `'${word.replaceAll("'", `'\\''`)}'`;
}

function inPowerShell(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
