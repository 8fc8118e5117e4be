/** Where the page is, and where it finds its parts, as the webview writes addresses. */
export interface PageSetting {
  /** The webview's `cspSource`. */
  readonly cspSource: string;
  /** Fresh and unguessable for every page. */
  readonly nonce: string;
  /** In an editor's tab, or in a view of the side bar or panel: they have different backgrounds. */
  readonly place: "editor" | "view";
  readonly scriptUri: string;
  readonly styleUri: string;
}

/**
 * The page's document. Nothing but its one script and its one style sheet may load, nothing inline runs, and it reaches no network:
 * everything comes by message.
 */
export function pageHtml({ cspSource, nonce, place, scriptUri, styleUri }: PageSetting): string {
  const policy = [
    "default-src 'none'",
    `style-src ${cspSource}`,
    `script-src 'nonce-${nonce}'`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
  return `<!DOCTYPE html>
<html lang="en" data-place="${place}">
  <head>
    <meta charset="utf-8" />
    <meta http-equiv="Content-Security-Policy" content="${attribute(policy)}" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>Patchbay usage</title>
    <link rel="stylesheet" href="${attribute(styleUri)}" />
  </head>
  <body>
    <script nonce="${attribute(nonce)}" src="${attribute(scriptUri)}"></script>
  </body>
</html>
`;
}

function attribute(value: string): string {
  return value.replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("<", "&lt;");
}
