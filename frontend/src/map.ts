// Draws each <div data-map> from the GeoJSON in the JSON island after it; what stood in its place stays without script or WebGL.
// No tiles and no fonts are fetched: the ground is plain, letters are drawn by the browser. The worker is a file of ours (CSP).
import type { Feature, FeatureCollection, Point, Position } from "geojson";
import {
  GPUInitializationError, LngLatBounds, Map as LiveMap, Marker, NavigationControl, ScaleControl, setWorkerUrl,
  type LayerSpecification,
} from "maplibre-gl";
import { readPalette } from "./charts/palette";

// What a feature says of itself: points are links where they have an `href`; `text` is a second line below the name.
interface Told {
  name?: string;
  text?: string;
  href?: string;
}

// Room for the buttons at the right, the scale at the bottom, and names.
const EDGES = { top: 48, right: 72, bottom: 72, left: 56 };
const NEAREST = 15;
// A clear picture as large as a point: names keep off it.
const ROOM = "room", DOT = 28;

export async function drawMaps(root: ParentNode): Promise<void> {
  for (const stage of root.querySelectorAll<HTMLElement>("[data-map]:not([data-ready])")) {
    stage.dataset.ready = "";
    const shown = JSON.parse(stage.nextElementSibling?.textContent ?? "null") as FeatureCollection | null;
    if (!shown?.features.length) continue;
    await loadStyle(stage.dataset.style ?? "");
    setWorkerUrl(new URL(stage.dataset.worker ?? "", location.href).href);
    swap(stage, true);
    try {
      draw(stage, shown);
    } catch (error) {
      swap(stage, false);
      if (!(error instanceof GPUInitializationError)) throw error;
    }
  }
}

function swap(stage: HTMLElement, live: boolean): void {
  const instead = stage.parentElement?.querySelector<HTMLElement>(".map-instead");
  stage.hidden = !live;
  if (instead) instead.hidden = live;
}

function loadStyle(href: string): Promise<void> {
  if (document.querySelector(`link[href="${href}"]`)) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const link = Object.assign(document.createElement("link"), { rel: "stylesheet", href });
    link.addEventListener("load", () => resolve());
    link.addEventListener("error", reject);
    document.head.append(link);
  });
}

function draw(stage: HTMLElement, shown: FeatureCollection): void {
  const map = new LiveMap({
    container: stage,
    style: { version: 8, sources: { shown: { type: "geojson", data: shown } }, layers: layers() },
    locale: JSON.parse(stage.dataset.words ?? "{}") as Record<string, string>,
    localIdeographFontFamily: readPalette().font,
    bounds: boundsOf(shown), fitBoundsOptions: { padding: EDGES, maxZoom: NEAREST, animate: false },
    cooperativeGestures: true, dragRotate: false, touchPitch: false, renderWorldCopies: false,
    attributionControl: false, fadeDuration: 0, maxZoom: 19,
  });
  // Arrow keys move it; a landmark it is not: the section around it may be one of the same name.
  map.getCanvas().setAttribute("role", "application");
  map.touchZoomRotate.disableRotation();
  map.keyboard.disableRotation();
  map.addControl(new NavigationControl({ showCompass: false }), "top-right");
  map.addControl(new ScaleControl({ unit: "metric" }), "bottom-left");
  map.once("style.load", () => {
    map.addImage(ROOM, { width: DOT, height: DOT, data: new Uint8Array(4 * DOT * DOT) });
  });
  map.once("idle", () => { stage.dataset.ready = "drawn"; });
  for (const feature of shown.features) {
    if (feature.geometry.type === "Point") addPoint(map, feature as Feature<Point>);
  }
}

function addPoint(map: LiveMap, { geometry, properties }: Feature<Point>): void {
  const { name = "", text = "", href } = (properties ?? {}) as Told;
  const place = geometry.coordinates as [number, number];
  const element = document.createElement(href ? "a" : "span");
  element.className = "map-point";
  element.title = [name, text].filter(Boolean).join(" ");
  if (element instanceof HTMLAnchorElement) {
    element.href = href ?? "";
    element.setAttribute("aria-label", element.title);
    // Who goes from point to point with the keyboard is taken to the one they are at.
    element.addEventListener("focus", () => { if (!map.getBounds().contains(place)) map.panTo(place); });
  } else {
    element.setAttribute("role", "img");
    element.setAttribute("aria-label", element.title);
  }
  new Marker({ element }).setLngLat(place).addTo(map);
}

// Areas and lines, such as the city's outline, lie below the names. A name gives way to one that it would cover.
function layers(): LayerSpecification[] {
  const { text, muted, surface } = readPalette();
  return [
    { id: "areas", type: "fill", source: "shown", filter: ["==", ["geometry-type"], "Polygon"], paint: { "fill-color": surface } },
    {
      id: "lines", type: "line", source: "shown", filter: ["!=", ["geometry-type"], "Point"],
      paint: { "line-color": muted, "line-width": 2 },
    },
    {
      id: "names", type: "symbol", source: "shown", filter: ["has", "name"],
      layout: {
        "text-field": ["case", ["has", "text"], ["concat", ["get", "name"], "\n", ["get", "text"]], ["get", "name"]],
        "text-font": ["sans-serif"], "text-size": 16, "text-padding": 4, "text-max-width": 10,
        "text-variable-anchor": ["top", "bottom", "left", "right", "top-left", "bottom-left", "top-right", "bottom-right"], "text-radial-offset": 1.1, "text-justify": "auto",
      },
      paint: { "text-color": text, "text-halo-color": surface, "text-halo-width": 2 },
    },
    {
      id: "room", type: "symbol", source: "shown", filter: ["==", ["geometry-type"], "Point"],
      layout: { "icon-image": ROOM, "icon-allow-overlap": true, "icon-padding": 0 },
    },
  ];
}

function boundsOf(shown: FeatureCollection): LngLatBounds {
  const bounds = new LngLatBounds();
  const extend = (coordinates: unknown): void => {
    if (typeof (coordinates as Position)[0] === "number") bounds.extend(coordinates as [number, number]);
    else for (const each of coordinates as unknown[]) extend(each);
  };
  for (const { geometry } of shown.features) if ("coordinates" in geometry) extend(geometry.coordinates);
  return bounds;
}
