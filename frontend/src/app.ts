// Every page works without this file. It adds: htmx, a question before steps that matter, forms that are
// looked at while they are filled in, copying, passkeys, charts, maps, reading codes with the camera.
import "htmx.org";
import { csrfToken } from "./csrf";
import { enhanceForms } from "./forms";
import { enhanceCopyButtons } from "./copy";
import { enhanceLiveForms } from "./live";
import { enhancePasskeys } from "./passkey";
import { enhanceScanners } from "./scan";
import { enhancePrinting, enhanceTimers } from "./until";

// `charts` is an entry of its own; the browser fetches it only where a page has a chart.
async function drawCharts(root: ParentNode): Promise<void> {
  if (!root.querySelector("[data-chart]")) return;
  const { drawAll } = await import("./charts");
  drawAll(root);
}

// So is `map`.
async function drawMaps(root: ParentNode): Promise<void> {
  if (!root.querySelector("[data-map]")) return;
  const { drawMaps: draw } = await import("./map");
  await draw(root);
}

function enhance(root: ParentNode): void {
  enhanceCopyButtons(root);
  enhancePasskeys(root);
  enhanceScanners(root);
  enhanceTimers(root);
  enhancePrinting(root);
  void drawCharts(root);
  void drawMaps(root);
}

document.addEventListener("htmx:config:request", (event) => {
  const request = (event as CustomEvent).detail?.ctx?.request;
  if (request) request.headers["X-CSRF-Token"] = csrfToken();
});
document.addEventListener("htmx:after:swap", () => enhance(document));

document.documentElement.classList.add("has-script");
enhanceForms();
enhanceLiveForms();
enhance(document);
