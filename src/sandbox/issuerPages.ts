/** A page that only says something, like why a sign-in cannot go on. */
export function messagePage(status: number, title: string, text: string): Response {
  return page(status, title, `<p>${escaped(text)}</p>`);
}

/** Asks whether the sandbox user agrees; `fields` come back with the answer, as does `decision`. */
export function consentPage(fields: Readonly<Record<string, string>>): Response {
  const buttons = `<p><button name="decision" value="continue">Continue as sandbox user</button>
<button name="decision" value="deny">Deny</button></p>`;
  const body = `<p>Patchbay asks for access to a pretend ChatGPT account. No real account is involved.</p>
<form method="post" action="authorize">${hidden(fields)}${buttons}</form>`;
  return page(200, "Sign in to the Patchbay sandbox", body);
}

/** Asks for the code that a device shows. */
export function devicePage(userCode: string): Response {
  const body = `<p>Enter the code that Patchbay shows you. No real account is involved.</p>
<form method="post" action="device"><p><label>Code <input name="user_code" value="${escaped(userCode)}"></label>
<button>Continue as sandbox user</button></p></form>`;
  return page(200, "Connect a device to the Patchbay sandbox", body);
}

function page(status: number, title: string, body: string): Response {
  const html = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${escaped(title)}</title></head>
<body><main><h1>${escaped(title)}</h1>
${body}</main></body></html>
`;
  const headers = {
    "content-type": "text/html; charset=utf-8",
    // Not for forms: their answer leads to the client's own address.
    "content-security-policy": "default-src 'none'; base-uri 'none'; frame-ancestors 'none'",
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-patchbay-sandbox": "1",
  };
  return new Response(html, { status, headers });
}

function hidden(fields: Readonly<Record<string, string>>): string {
  return Object.entries(fields)
    .map(([name, value]) => `<input type="hidden" name="${escaped(name)}" value="${escaped(value)}">`)
    .join("");
}

function escaped(text: string): string {
  return text.toWellFormed().replace(/[&<>"']/g, (character) => `&#${character.codePointAt(0) ?? 0};`);
}
