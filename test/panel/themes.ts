/** A colour theme of the editor, as a webview's page sees it. */
export interface Theme {
  readonly name: "dark" | "light" | "high-contrast";
  /** The class that the editor gives to the page's body. */
  readonly bodyClass: string;
  readonly variables: Readonly<Record<string, string>>;
}

const FONTS = {
  "font-family": '"DejaVu Sans Condensed", sans-serif',
  "font-size": "13px",
  "font-weight": "normal",
  "editor-font-family": '"DejaVu Sans Mono", monospace',
};

const DARK = {
  foreground: "#cccccc",
  descriptionForeground: "#9d9d9d",
  disabledForeground: "#cccccc80",
  errorForeground: "#f85149",
  focusBorder: "#0078d4",
  "editor-background": "#1f1f1f",
  "sideBar-background": "#181818",
  "panel-border": "#2b2b2b",
  "widget-border": "#313131",
  "editorWidget-background": "#202020",
  "editorWidget-border": "#454545",
  "editorHoverWidget-background": "#202020",
  "editorHoverWidget-foreground": "#cccccc",
  "editorHoverWidget-border": "#454545",
  "editorWarning-foreground": "#cca700",
  "badge-background": "#616161",
  "badge-foreground": "#f8f8f8",
  "button-background": "#0078d4",
  "button-foreground": "#ffffff",
  "button-border": "#ffffff12",
  "button-hoverBackground": "#026ec1",
  "button-secondaryBackground": "#313131",
  "button-secondaryForeground": "#cccccc",
  "button-secondaryHoverBackground": "#3c3c3c",
  "dropdown-background": "#313131",
  "dropdown-border": "#3c3c3c",
  "dropdown-foreground": "#cccccc",
  "dropdown-listBackground": "#1f1f1f",
  "inputOption-activeBackground": "#2489db82",
  "inputOption-activeBorder": "#2488db",
  "inputOption-activeForeground": "#ffffff",
  "toolbar-hoverBackground": "#5a5d5e50",
  "progressBar-background": "#0078d4",
  "testing-iconPassed": "#73c991",
  "charts-blue": "#59a4f9",
  "charts-green": "#89d185",
  "charts-orange": "#d18616",
  "charts-purple": "#b180d7",
  "charts-yellow": "#cca700",
  "charts-red": "#f14c4c",
};

const LIGHT = {
  foreground: "#3b3b3b",
  descriptionForeground: "#3b3b3b",
  disabledForeground: "#61616180",
  errorForeground: "#c72e0f",
  focusBorder: "#005fb8",
  "editor-background": "#ffffff",
  "sideBar-background": "#f8f8f8",
  "panel-border": "#e5e5e5",
  "widget-border": "#e5e5e5",
  "editorWidget-background": "#f8f8f8",
  "editorWidget-border": "#c8c8c8",
  "editorHoverWidget-background": "#f8f8f8",
  "editorHoverWidget-foreground": "#3b3b3b",
  "editorHoverWidget-border": "#c8c8c8",
  "editorWarning-foreground": "#bf8803",
  "badge-background": "#cccccc",
  "badge-foreground": "#3b3b3b",
  "button-background": "#005fb8",
  "button-foreground": "#ffffff",
  "button-border": "#0000001a",
  "button-hoverBackground": "#0258a8",
  "button-secondaryBackground": "#e5e5e5",
  "button-secondaryForeground": "#3b3b3b",
  "button-secondaryHoverBackground": "#cccccc",
  "dropdown-background": "#ffffff",
  "dropdown-border": "#cecece",
  "dropdown-foreground": "#3b3b3b",
  "dropdown-listBackground": "#ffffff",
  "inputOption-activeBackground": "#bed6ed",
  "inputOption-activeBorder": "#005fb8",
  "inputOption-activeForeground": "#000000",
  "toolbar-hoverBackground": "#b8b8b850",
  "progressBar-background": "#005fb8",
  "testing-iconPassed": "#388a34",
  "charts-blue": "#0063d3",
  "charts-green": "#388a34",
  "charts-orange": "#d18616",
  "charts-purple": "#652d90",
  "charts-yellow": "#bf8803",
  "charts-red": "#e51400",
};

const HIGH_CONTRAST = {
  foreground: "#ffffff",
  descriptionForeground: "#ffffff",
  disabledForeground: "#a5a5a5",
  errorForeground: "#f48771",
  focusBorder: "#f38518",
  contrastBorder: "#6fc3df",
  contrastActiveBorder: "#f38518",
  "editor-background": "#000000",
  "sideBar-background": "#000000",
  "panel-border": "#6fc3df",
  "widget-border": "#6fc3df",
  "editorWidget-background": "#0c141f",
  "editorWidget-border": "#6fc3df",
  "editorHoverWidget-background": "#0c141f",
  "editorHoverWidget-foreground": "#ffffff",
  "editorHoverWidget-border": "#6fc3df",
  "editorWarning-foreground": "#ffd370",
  "badge-background": "#000000",
  "badge-foreground": "#ffffff",
  "button-background": "#000000",
  "button-foreground": "#ffffff",
  "button-border": "#6fc3df",
  "button-hoverBackground": "#000000",
  "button-secondaryBackground": "#000000",
  "button-secondaryForeground": "#ffffff",
  "button-secondaryHoverBackground": "#000000",
  "dropdown-background": "#000000",
  "dropdown-border": "#6fc3df",
  "dropdown-foreground": "#ffffff",
  "dropdown-listBackground": "#000000",
  "inputOption-activeBackground": "#00000000",
  "inputOption-activeBorder": "#f38518",
  "inputOption-activeForeground": "#ffffff",
  "progressBar-background": "#6fc3df",
  "testing-iconPassed": "#73c991",
  "charts-blue": "#59a4f9",
  "charts-green": "#89d185",
  "charts-orange": "#d18616",
  "charts-purple": "#b180d7",
  "charts-yellow": "#ffd370",
  "charts-red": "#f14c4c",
};

/** Those that come with the editor, in their main colours. */
export const THEMES: readonly Theme[] = [
  { name: "dark", bodyClass: "vscode-dark", variables: { ...FONTS, ...DARK } },
  { name: "light", bodyClass: "vscode-light", variables: { ...FONTS, ...LIGHT } },
  { name: "high-contrast", bodyClass: "vscode-high-contrast", variables: { ...FONTS, ...HIGH_CONTRAST } },
];

/** The theme as a style sheet, with what the editor adds to every webview. */
export function themeCss({ variables }: Theme): string {
  const lines = Object.entries(variables).map(([name, value]) => `--vscode-${name}: ${value};`);
  return `:root { ${lines.join(" ")} }
    :root[data-place="editor"] { background: var(--vscode-editor-background); }
    :root[data-place="view"] { background: var(--vscode-sideBar-background); }
    @layer vscode-default { body { padding: 0 20px; color: var(--vscode-editor-foreground); } code { background: #888; } }`;
}
