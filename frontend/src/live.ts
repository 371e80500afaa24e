// Forms that are looked at while they are filled in ([data-live], htmx morphs the answer into the page). A control that
// somebody has touched no longer follows its attributes, so what the server chose is put into it here; what is being
// written at this moment stays, and comes with the next change.
export function enhanceLiveForms(): void {
  document.addEventListener("htmx:before:settle", () => {
    for (const form of document.querySelectorAll<HTMLFormElement>("form[data-live]")) settle(form);
  });
}

function settle(form: HTMLFormElement): void {
  for (const control of form.elements) {
    if (control === document.activeElement) continue;
    if (control instanceof HTMLSelectElement) {
      const chosen = control.querySelector<HTMLOptionElement>("option[selected]") ?? control.options[0];
      if (chosen) chosen.selected = true;
    } else if (control instanceof HTMLInputElement) {
      if (control.type === "checkbox") control.checked = control.defaultChecked;
      else control.value = control.defaultValue;
    }
  }
}
