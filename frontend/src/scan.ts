// Reads a code with the camera ([data-scan] names the field it goes into) and sends the form around. The browser's own
// detector where there is one, else jsQR, which is fetched only then. Nothing that the camera sees leaves the page.
interface Detector {
  detect(source: HTMLVideoElement): Promise<{ rawValue: string }[]>;
}
type Read = (video: HTMLVideoElement) => Promise<string | undefined>;
declare const BarcodeDetector: { new (options: { formats: string[] }): Detector; getSupportedFormats(): Promise<string[]> };

const PAUSE_MS = 120;

export function enhanceScanners(root: ParentNode): void {
  for (const box of root.querySelectorAll<HTMLElement>("[data-scan]:not([data-ready])")) {
    box.dataset.ready = "";
    const button = box.querySelector("button");
    if (!button) continue;
    if (!navigator.mediaDevices) say(box, box.dataset.missing);
    else {
      button.hidden = false;
      button.addEventListener("click", () => void scan(box, button));
    }
  }
}

async function scan(box: HTMLElement, button: HTMLButtonElement): Promise<void> {
  const video = box.querySelector("video") as HTMLVideoElement;
  let stream: MediaStream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
  } catch (error) {
    return say(box, (error as DOMException).name === "NotFoundError" ? box.dataset.missing : box.dataset.denied);
  }
  const stop = () => stream.getTracks().forEach((track) => track.stop());
  window.addEventListener("pagehide", stop, { once: true });
  button.hidden = true;
  video.hidden = false;
  video.srcObject = stream;
  await video.play();
  say(box, box.dataset.looking);
  const found = await look(box, video, await reader());
  stop();
  say(box, box.dataset.found);
  send(box, found);
}

// The first text that looks like what the page wants; of other codes the page says that they are others.
async function look(box: HTMLElement, video: HTMLVideoElement, read: Read): Promise<string> {
  const wanted = new RegExp(box.dataset.accepts ?? "");
  for (;;) {
    const text = await read(video).catch(() => undefined);
    if (text && wanted.test(text)) return text;
    if (text) say(box, box.dataset.other);
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}

async function reader(): Promise<Read> {
  if ("BarcodeDetector" in window && (await BarcodeDetector.getSupportedFormats()).includes("qr_code")) {
    const detector = new BarcodeDetector({ formats: ["qr_code"] });
    return async (video) => (await detector.detect(video))[0]?.rawValue;
  }
  const { default: jsQR } = await import("jsqr");
  const context = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  return async (video) => {
    const { videoWidth: width, videoHeight: height } = video;
    if (!context || !width) return undefined;
    Object.assign(context.canvas, { width, height });
    context.drawImage(video, 0, 0);
    return jsQR(context.getImageData(0, 0, width, height).data, width, height, { inversionAttempts: "dontInvert" })?.data;
  };
}

function send(box: HTMLElement, text: string): void {
  const form = box.closest("form");
  const field = form?.elements.namedItem(box.dataset.scan ?? "");
  if (!form || !(field instanceof HTMLInputElement)) return;
  field.value = text;
  form.requestSubmit(form.querySelector<HTMLButtonElement>("button[type=submit]"));
}

function say(box: HTMLElement, text: string | undefined): void {
  const status = box.querySelector("[role=status]");
  if (status && status.textContent !== text) status.textContent = text ?? "";
}
