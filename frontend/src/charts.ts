// Draws each <figure data-chart> from the JSON island inside it; the table in the figure stays for everyone.
// Only the parts of ECharts that we use are bundled. Nothing writes style attributes as text: the CSP forbids them.
import { BarChart, HeatmapChart, LineChart } from "echarts/charts";
import {
  AriaComponent, GridSimpleComponent, LegendPlainComponent, TooltipComponent, VisualMapContinuousComponent,
} from "echarts/components";
import * as echarts from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";
import { describe, readAloud } from "./charts/aloud";
import type { ChartData, ChartKind } from "./charts/data";
import { optionFor } from "./charts/options";
import { readPalette } from "./charts/palette";

echarts.use([
  BarChart, HeatmapChart, LineChart, CanvasRenderer,
  AriaComponent, GridSimpleComponent, LegendPlainComponent, TooltipComponent, VisualMapContinuousComponent,
]);

export function drawAll(root: ParentNode): void {
  for (const figure of root.querySelectorAll<HTMLElement>("figure[data-chart]:not([data-ready])")) {
    figure.dataset.ready = "";
    const data = readIsland(figure);
    if (data && data.series.length > 0) draw(figure, figure.dataset.chart as ChartKind, data);
  }
}

function readIsland(figure: HTMLElement): ChartData | null {
  const island = figure.querySelector('script[type="application/json"]');
  try {
    return JSON.parse(island?.textContent ?? "null") as ChartData | null;
  } catch {
    return null;
  }
}

function draw(figure: HTMLElement, kind: ChartKind, data: ChartData): void {
  const stage = figure.querySelector<HTMLElement>(".chart-stage");
  if (!stage) return;
  stage.hidden = false;
  if (kind === "heatmap") stage.classList.add(data.series.length > 14 ? "is-tall" : "is-days");
  const chart = echarts.init(stage, null, { renderer: "canvas" });
  const paint = () => chart.setOption(optionFor(kind, data, readPalette(), stage.clientWidth), true);
  paint();
  describe(stage, data);
  readAloud(figure, stage, chart, data);
  new ResizeObserver(() => {
    chart.resize();
    paint();
  }).observe(stage);
}
