// Passkeys (W3C Web Authentication Level 3): buttons with [data-passkey="register" | "authenticate"].
// data-options-url is asked for options (with the fields of the form around, if any); the credential goes to
// data-verify-url, whose {"redirect": "/…"} is followed. Texts for the status line come from data attributes.
import { Refused, postJson } from "./csrf";
import { creationOptions, credentialJson, requestOptions } from "./webauthn";

type Ceremony = "register" | "authenticate";

export function enhancePasskeys(root: ParentNode): void {
  for (const button of root.querySelectorAll<HTMLButtonElement>("button[data-passkey]:not([data-ready])")) {
    button.dataset.ready = "";
    if (!("PublicKeyCredential" in window)) {
      button.disabled = true;
      say(button, button.dataset.unsupported);
      continue;
    }
    button.addEventListener("click", (event) => {
      event.preventDefault();
      void run(button);
    });
  }
}

async function run(button: HTMLButtonElement): Promise<void> {
  if (button.getAttribute("aria-busy") === "true") return;
  button.setAttribute("aria-busy", "true");
  say(button, button.dataset.waiting);
  try {
    await perform(button);
  } catch (error) {
    say(button, explain(button, error), true);
  } finally {
    button.removeAttribute("aria-busy");
  }
}

async function perform(button: HTMLButtonElement): Promise<void> {
  const { passkey, optionsUrl = "", verifyUrl = "" } = button.dataset;
  const options = (await postJson(optionsUrl, formFields(button))) as Record<string, unknown>;
  const credential = await ceremony(passkey as Ceremony, options);
  const answer = (await postJson(verifyUrl, credentialJson(credential))) as { redirect?: string };
  say(button, button.dataset.done);
  // Only a path of this site is followed, whatever the answer says.
  const target = new URL(answer.redirect ?? "/", location.origin);
  location.assign(target.origin === location.origin ? target.href : "/");
}

async function ceremony(kind: Ceremony, options: Record<string, unknown>): Promise<PublicKeyCredential> {
  const credential =
    kind === "register"
      ? await navigator.credentials.create({ publicKey: creationOptions(options) })
      : await navigator.credentials.get({ publicKey: requestOptions(options) });
  if (!credential) throw new DOMException("no credential", "NotAllowedError");
  return credential as PublicKeyCredential;
}

function formFields(button: HTMLButtonElement): Record<string, string> {
  const fields: Record<string, string> = {};
  if (!button.form) return fields;
  for (const [name, value] of new FormData(button.form)) {
    if (typeof value === "string" && name !== "csrf_token") fields[name] = value;
  }
  return fields;
}

function explain(button: HTMLButtonElement, error: unknown): string | undefined {
  if (error instanceof Refused && error.message) return error.message;
  const name = error instanceof DOMException ? error.name : "";
  if (name === "NotAllowedError" || name === "AbortError") return button.dataset.cancelled;
  if (name === "InvalidStateError") return button.dataset.already;
  return button.dataset.failed;
}

function say(button: HTMLButtonElement, text: string | undefined, isError = false): void {
  const status = button.closest(".passkey")?.querySelector<HTMLElement>("[role=status]");
  if (!status) return;
  status.textContent = text ?? "";
  status.classList.toggle("is-error", isError);
}
