// Buttons with [data-copy]: put their text on the clipboard and say so.
export function enhanceCopyButtons(root: ParentNode): void {
  for (const button of root.querySelectorAll<HTMLButtonElement>("button[data-copy]:not([data-ready])")) {
    button.dataset.ready = "";
    button.hidden = false;
    button.addEventListener("click", () => void copy(button));
  }
}

async function copy(button: HTMLButtonElement): Promise<void> {
  const status = button.parentElement?.querySelector<HTMLElement>("[role=status]");
  try {
    await navigator.clipboard.writeText(button.dataset.copy ?? "");
    if (status) status.textContent = button.dataset.done ?? "";
  } catch {
    // Without permission the text stays on the page to be selected by hand.
    if (status) status.textContent = button.dataset.failed ?? "";
  }
}
