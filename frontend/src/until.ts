// Counts down to [data-until]; without script the page says until when. And buttons that print the page.
export function enhanceTimers(root: ParentNode): void {
  for (const clock of root.querySelectorAll<HTMLElement>("[data-until]:not([data-ready])")) {
    clock.dataset.ready = "";
    const timer = setInterval(() => tick(clock, timer), 1000);
    tick(clock, timer);
  }
}

export function enhancePrinting(root: ParentNode): void {
  for (const button of root.querySelectorAll<HTMLButtonElement>("button[data-print]:not([data-ready])")) {
    button.dataset.ready = "";
    button.hidden = false;
    button.addEventListener("click", () => window.print());
  }
}

function tick(clock: HTMLElement, timer: ReturnType<typeof setInterval>): void {
  const left = Math.ceil((Date.parse(clock.dataset.until ?? "") - Date.now()) / 1000);
  if (left > 0) {
    const time = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
    clock.textContent = (clock.dataset.left ?? "{time}").replace("{time}", time);
    return;
  }
  clearInterval(timer);
  clock.classList.add("is-over");
  clock.setAttribute("role", "alert");
  clock.textContent = clock.dataset.over ?? "";
}
