/** The ways to sign in with ChatGPT. */
export type SignInWay = "browser" | "device" | "paste";

/** Where the extension runs, as seen from the browser that the user looks at. */
export interface SignInSurroundings {
  /** The browser is on the same machine: it can come back to a port here. */
  readonly isLocal: boolean;
}

/** The ways that can work, the best first. In a remote host the browser cannot reach our port, but a code can be typed in anywhere. */
export function signInWays({ isLocal }: SignInSurroundings): readonly SignInWay[] {
  return isLocal ? ["browser", "device", "paste"] : ["device", "paste"];
}
