import type { Log } from "../ports.ts";
import { type ControlApi, jsonBody } from "./controlApi.ts";
import type { ControlTeller } from "./processControl.ts";
import { INITIAL_SETTINGS, readWindowSettings, type WindowSettings } from "./windowSettings.ts";

/** What a window is told of the process that it attached to. */
export interface ControlSettingsView {
  /** The pretend upstreams answer. */
  readonly sandbox: boolean;
  /** The sign-in server; undefined for the real one. */
  readonly authBaseUrl: string | undefined;
  /** The port that was wished for: where the process listens on another, it was taken. */
  readonly wishedPort: number;
}

/** The settings that windows hand over, newest wins. */
export interface SettingsRoutes {
  current(): WindowSettings;
  /** Adds `GET` and `POST /settings`. */
  add(api: ControlApi, teller: ControlTeller): void;
}

/** What the routes work with. */
export interface SettingsRoutesParts {
  readonly view: ControlSettingsView;
  /** Is told when the editor's way to the network is another than before. */
  readonly onNetwork: (network: WindowSettings["network"]) => void;
  readonly log: Log;
}

/** Makes them; until a window has told its settings, the initial ones are in force. */
export function createSettingsRoutes({ view, onNetwork, log }: SettingsRoutesParts): SettingsRoutes {
  let settings = INITIAL_SETTINGS;
  return {
    current: () => settings,
    add(api, teller) {
      api.get("/settings", (context) => context.json(view));
      api.post("/settings", async (context) => {
        const next = readWindowSettings(await jsonBody(context));
        const before = settings;
        if (!isSame(next, before)) {
          settings = next;
          log.info("The settings were changed by a window.");
          if (!isSame(next.network, before.network)) onNetwork(next.network);
          teller.publishState();
        }
        return context.json(view);
      });
    },
  };
}

function isSame(one: object, other: object): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
