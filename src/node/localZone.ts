/** Minutes east of UTC on this machine at a moment: midnights are those of its user. */
export const localZoneOffset = (at: number): number => -new Date(at).getTimezoneOffset();
