/** How much of one window of a limit is used. */
export interface PlanWindow {
  /** Which limit: `codex` is the plan's own, others are metered besides it. */
  readonly limit: string;
  /** What the upstream calls the limit, where it says. */
  readonly name: string | undefined;
  /** 0 to 100. */
  readonly usedPercent: number;
  /** 300 is five hours, 10080 a week. */
  readonly windowMinutes: number | undefined;
  /** Milliseconds since the Unix epoch; undefined where it is not known, or has passed. */
  readonly resetsAt: number | undefined;
  /** Its reset has passed since it was observed: `usedPercent` is 0 then, until the upstream says more. */
  readonly stale: boolean;
  /** Milliseconds since the Unix epoch. */
  readonly observedAt: number;
}

/** Credits that go on where the plan's windows are used up. */
export interface PlanCredits {
  readonly hasCredits: boolean;
  readonly unlimited: boolean;
  /** A decimal number as the upstream writes it. */
  readonly balance: string | undefined;
}

/** What is known of the ChatGPT plan and its use. */
export interface PlanPicture {
  /** As the upstream names it (`plus`, `pro`, ...); new names appear without notice. */
  readonly plan: string | undefined;
  /** The plan's own windows first. */
  readonly windows: readonly PlanWindow[];
  readonly credits: PlanCredits | undefined;
  /** Whether the upstream would refuse a request now, as far as is known. */
  readonly limitReached: boolean;
  /** Which kind of limit, where the upstream says. */
  readonly reachedType: string | undefined;
  /** When anything was last heard, in milliseconds since the Unix epoch; undefined before that. */
  readonly observedAt: number | undefined;
}
