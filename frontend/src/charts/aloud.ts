// A chart for those who do not see or point: a spoken summary, and values read out one by one with the arrow keys.
import type { EChartsType } from "echarts/core";
import { type ChartData, format } from "./data";

export function describe(stage: HTMLElement, data: ChartData): void {
  stage.setAttribute("role", "img");
  stage.setAttribute("aria-label", [data.title, data.summary ?? ""].filter(Boolean).join(": "));
  stage.tabIndex = 0;
}

export function readAloud(figure: HTMLElement, stage: HTMLElement, chart: EChartsType, data: ChartData): void {
  const status = figure.querySelector<HTMLElement>("[role=status]");
  let x = -1;
  let row = 0;
  const show = () => {
    const one = data.series[row];
    if (!one) return;
    const heat = figure.dataset.chart === "heatmap";
    chart.dispatchAction({
      type: "showTip",
      seriesIndex: heat ? 0 : row,
      dataIndex: heat ? row * data.x.length + x : x,
    });
    if (status) status.textContent = `${one.name} ${data.x[x]} ${format(one.data[x], data.unit)}`;
  };
  stage.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1, Home: -data.x.length, End: data.x.length }[event.key];
    const turn = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step === undefined && turn === undefined) return;
    event.preventDefault();
    x = clamp(x + (step ?? 0), data.x.length);
    row = clamp(row + (turn ?? 0), data.series.length);
    show();
  });
  stage.addEventListener("blur", () => chart.dispatchAction({ type: "hideTip" }));
}

function clamp(value: number, length: number): number {
  return Math.max(0, Math.min(length - 1, value));
}
