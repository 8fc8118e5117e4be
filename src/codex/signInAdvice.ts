/** What to do about a sign-in, for the users of the command line and those of the editor: agents show it to both. */
export const SIGN_IN_ADVICE = "run `patchbay login` (in VS Code: 'Patchbay: Sign In with ChatGPT')";
