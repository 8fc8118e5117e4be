/** The log of a process that nobody sees, in its data directory. */
export const PROCESS_LOG = "process.log";
