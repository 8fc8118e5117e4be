declare const PATCHBAY_VERSION: string | undefined;

/** The package's version, put in by the build; `dev` where the sources run unbuilt. */
export const VERSION: string = typeof PATCHBAY_VERSION === "string" ? PATCHBAY_VERSION : "dev";
