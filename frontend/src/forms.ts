// Forms: ask before a step that matters ([data-confirm] on the submit button), and never send twice on a double tap.
export function enhanceForms(): void {
  document.addEventListener("submit", onSubmit);
  // A page that comes back from the browser's memory must be usable again.
  window.addEventListener("pageshow", () => {
    for (const button of document.querySelectorAll<HTMLButtonElement>("button[aria-busy=true]")) release(button);
  });
}

function onSubmit(event: SubmitEvent): void {
  const form = event.target as HTMLFormElement;
  const button = event.submitter as HTMLButtonElement | null;
  if (!button || event.defaultPrevented) return;
  if (button.getAttribute("aria-busy") === "true") {
    event.preventDefault();
  } else if (button.dataset.confirm && button.dataset.confirmed === undefined) {
    event.preventDefault();
    void ask(button).then((yes) => {
      if (!yes) return button.focus();
      button.dataset.confirmed = "";
      form.requestSubmit(button);
    });
  } else if (form.method !== "get") {
    button.setAttribute("aria-busy", "true");
  }
}

function release(button: HTMLButtonElement): void {
  button.removeAttribute("aria-busy");
  delete button.dataset.confirmed;
}

function ask(button: HTMLButtonElement): Promise<boolean> {
  const { confirm = "", confirmBody = "", confirmYes = "OK", confirmNo = "×" } = button.dataset;
  const dialog = document.createElement("dialog");
  dialog.className = "dialog";
  const title = element("h2", confirm, "dialog-title");
  title.id = "dialog-title";
  dialog.setAttribute("aria-labelledby", title.id);
  const yes = element("button", confirmYes, button.dataset.kind === "danger" ? "button is-danger" : "button is-primary");
  const no = element("button", confirmNo, "button is-secondary");
  const actions = element("div", "", "dialog-actions");
  actions.append(yes, no);
  dialog.append(title, element("p", confirmBody), actions);
  document.body.append(dialog);
  return new Promise((resolve) => {
    yes.addEventListener("click", () => dialog.close("yes"));
    no.addEventListener("click", () => dialog.close("no"));
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    });
    dialog.showModal();
    no.focus();
  });
}

function element(tag: string, text: string, className = ""): HTMLElement {
  const made = document.createElement(tag);
  made.textContent = text;
  made.className = className;
  return made;
}
