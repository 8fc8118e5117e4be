import type { ControlState } from "../node/controlState.ts";
import { editorWords } from "./editorWords.ts";

/** How this window stands to the proxy process. */
export type ConnectionStatus =
  /** Looking for a process, or starting one. */
  | "starting"
  /** Answering; this window started it. */
  | "running"
  /** Answering; somebody else started it. */
  | "attached"
  /** Answering on another port than the wished one, which another program has. */
  | "port_conflict"
  | "failed"
  | "stopped";

/** The connection as it is shown. */
export interface ConnectionView {
  readonly status: ConnectionStatus;
  /** Where clients reach the proxy; undefined while nobody can. */
  readonly url: string | undefined;
  /** What happened and what to do, where there is something to say. */
  readonly reason: string | undefined;
  /** Pretend upstreams answer. */
  readonly sandbox: boolean;
  readonly state: ControlState | undefined;
}

/** What handing over settings and secrets brought. */
export interface Handover {
  readonly sandbox: boolean;
  /** The port that the process was started for; undefined where it does not say. */
  readonly wishedPort: number | undefined;
  /** Why a part was not taken. */
  readonly problem: string | undefined;
}

/** Whether a process answers. */
export function isUp(status: ConnectionStatus): boolean {
  switch (status) {
    case "running":
    case "attached":
    case "port_conflict":
      return true;
    case "starting":
    case "failed":
    case "stopped":
      return false;
  }
}

/** Whether nobody is looking for a process, or trying to start one. */
export function isOver(status: ConnectionStatus): boolean {
  return status === "failed" || status === "stopped";
}

/** The view while no process answers. */
export function viewOf(status: "starting" | "failed" | "stopped", reason?: string): ConnectionView {
  return { status, url: undefined, reason: reason && editorWords(reason), sandbox: false, state: undefined };
}

/** The view of a process that answers. */
export function upView(state: ControlState, handover: Handover, startedHere: boolean): ConnectionView {
  const { sandbox, wishedPort, problem } = handover;
  const port = Number(new URL(state.url).port);
  const moved = wishedPort !== undefined && wishedPort !== 0 && wishedPort !== port;
  return {
    status: moved ? "port_conflict" : startedHere ? "running" : "attached",
    url: state.url,
    reason:
      problem ??
      (moved
        ? `Port ${wishedPort} is taken by another program, so the proxy listens on ${port}: connect your tools again, or choose another port.`
        : undefined),
    sandbox,
    state,
  };
}
