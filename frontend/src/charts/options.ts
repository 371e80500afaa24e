// ECharts options for the four kinds. Series differ by dash and pattern as well as colour, for grey print and eyes.
import type { EChartsCoreOption } from "echarts/core";
import { type ChartData, type ChartKind, format } from "./data";
import type { Palette } from "./palette";

const DASHES = ["solid", "dashed", "dotted", [12, 4, 2, 4]] as const;
// Patterns tell bars apart without colour: plain, slanted, dotted, level.
const SHINE = "rgba(255, 255, 255, 0.55)";
const DECALS = [
  { color: "transparent" },
  { color: SHINE, dashArrayX: [1, 0], dashArrayY: [3, 5], rotation: -Math.PI / 4 },
  { color: SHINE, symbol: "circle", symbolSize: 0.8, dashArrayX: [[6, 6], [0, 6, 6, 0]], dashArrayY: [6, 0] },
  { color: SHINE, dashArrayX: [1, 0], dashArrayY: [2, 5] },
];
const THIN = { lineStyle: { width: 1.75 } };
const AREA = { lineStyle: { width: 0 }, areaStyle: { opacity: 0.3 } };
const calm = matchMedia("(prefers-reduced-motion: reduce)");

export function optionFor(kind: ChartKind, data: ChartData, palette: Palette, width: number): EChartsCoreOption {
  const make = { curve, bars, heatmap, rows }[kind];
  return { ...common(data, palette), ...make(data, palette, width) };
}

function common(data: ChartData, palette: Palette): EChartsCoreOption {
  return {
    animation: !calm.matches,
    animationDuration: 300,
    color: palette.series,
    textStyle: { fontFamily: palette.font, fontSize: 14, color: palette.text },
    aria: { enabled: false, decal: { show: false } },
    grid: { left: 4, right: 12, top: 40, bottom: 8, containLabel: true },
    legend: {
      show: data.series.length > 1,
      top: 0, left: 0, itemWidth: 32, itemHeight: 12,
      textStyle: { fontSize: 14, color: palette.text },
    },
    tooltip: {
      // HTML tooltips carry style attributes, which the content security policy forbids.
      renderMode: "richText",
      confine: true,
      backgroundColor: palette.surface,
      borderColor: palette.text,
      textStyle: { color: palette.text, fontSize: 14 },
      valueFormatter: (value: unknown) => format(value as number | null, data.unit),
    },
  };
}

function axes(data: ChartData, palette: Palette, width: number): EChartsCoreOption {
  const label = { color: palette.muted, fontSize: 14, hideOverlap: true };
  const days = data.x.length > DAY && data.x.length % DAY === 0;
  const named = days ? { ...label, ...dayNames } : { ...label, interval: every(data.x, width) };
  return {
    xAxis: {
      type: "category", data: data.x, boundaryGap: !days, axisLabel: named,
      splitLine: { show: days, interval: dayNames.interval, lineStyle: { color: palette.line } },
      axisLine: { lineStyle: { color: palette.muted } }, axisTick: { show: false },
    },
    yAxis: {
      type: "value", name: data.unit, nameTextStyle: { ...label, align: "left", padding: [0, 0, 0, -24] },
      nameGap: 12, axisLabel: label, splitNumber: 4, splitLine: { lineStyle: { color: palette.line } },
    },
  };
}

// Several days of half hours: the name of each day, which begins its labels, stands where the day begins.
const DAY = 48;
const dayNames = {
  interval: (index: number) => index % DAY === 0,
  formatter: (label: string) => label.split(" ")[0] ?? "",
  align: "left",
};

// Labels at an even distance, as many as fit; 48 half hours then fall on whole, memorable hours.
function every(labels: string[], width: number): (index: number) => boolean {
  const room = 8 + Math.max(0, ...labels.map((label) => [...label].reduce((sum, c) => sum + (c < "⺀" ? 8 : 14), 0)));
  const least = Math.ceil((labels.length * room) / Math.max(width - 56, room));
  const step = [1, 2, 4, 6, 8, 12, 16, 24, 48].find((n) => n >= least) ?? least;
  return (index) => index % step === 0;
}

function curve(data: ChartData, palette: Palette, width: number): EChartsCoreOption {
  // Hundreds of points make two lines a tangle: there the first is a thin line and the rest are areas behind it.
  const dense = data.x.length > 2 * DAY;
  const series = data.series.map((one, index) => ({
    type: "line", name: one.name, data: one.data, symbol: "none", connectNulls: false, z: 3 - index,
    ...(dense ? (index === 0 ? THIN : AREA) : {
      lineStyle: { width: index === 0 ? 3 : 2.5, type: DASHES[index % DASHES.length] },
      areaStyle: index === 0 && data.series.length === 1 ? { opacity: 0.12 } : undefined,
    }),
    emphasis: { disabled: true },
  }));
  const { tooltip, legend } = common(data, palette) as { tooltip: object; legend: object };
  const keys = data.series.map(({ name }, index) => (dense && index > 0 ? { name, icon: "roundRect" } : { name }));
  return {
    ...axes(data, palette, width), ...headroom(data), series,
    tooltip: { ...tooltip, trigger: "axis" }, legend: { ...legend, data: keys },
  };
}

function bars(data: ChartData, palette: Palette, width: number): EChartsCoreOption {
  const many = data.series.length > 1;
  const series = data.series.map((one) => ({
    type: "bar", name: one.name, data: one.data, barMaxWidth: 40, barGap: "10%",
    itemStyle: { borderRadius: [4, 4, 0, 0] },
  }));
  const tooltip = { ...(common(data, palette).tooltip as object), trigger: "axis", axisPointer: { type: "shadow" } };
  const aria = { enabled: many, label: { enabled: false }, decal: { show: many, decals: DECALS } };
  return { ...axes(data, palette, width), ...headroom(data), tooltip, aria, series };
}

// Bars that lie, for names that must all be read: one series, the first on top.
function rows(data: ChartData, palette: Palette): EChartsCoreOption {
  const label = { color: palette.muted, fontSize: 14 };
  return {
    grid: { left: 4, right: 64, top: 4, bottom: 4, containLabel: true },
    xAxis: { type: "value", show: false },
    yAxis: {
      type: "category", data: data.x, inverse: true, axisTick: { show: false },
      axisLine: { lineStyle: { color: palette.muted } }, axisLabel: { ...label, color: palette.text },
    },
    series: data.series.slice(0, 1).map((one) => ({
      type: "bar", name: one.name, data: one.data, barMaxWidth: 24, itemStyle: { borderRadius: [0, 4, 4, 0] },
      label: { ...label, show: true, position: "right", formatter: ({ value }: { value: number }) => format(value, "") },
    })),
  };
}

function headroom(data: ChartData): EChartsCoreOption {
  return { grid: { left: 4, right: 12, top: data.series.length > 1 ? 64 : 36, bottom: 4, containLabel: true } };
}

function heatmap(data: ChartData, palette: Palette, width: number): EChartsCoreOption {
  const rows = data.series.map((one) => one.name);
  const cells = data.series.flatMap((one, y) => one.data.map((value, x) => [x, y, value ?? "-"]));
  const values = data.series.flatMap((one) => one.data).filter((value): value is number => value !== null);
  const label = { color: palette.muted, fontSize: 14, hideOverlap: true };
  return {
    legend: { show: false },
    grid: { left: 4, right: 12, top: 8, bottom: 56, containLabel: true },
    xAxis: { type: "category", data: data.x, axisLabel: { ...label, interval: every(data.x, width) },
      axisTick: { show: false }, axisLine: { show: false } },
    yAxis: { type: "category", data: rows, inverse: true, axisLabel: label,
      axisTick: { show: false }, axisLine: { show: false } },
    visualMap: {
      min: Math.min(0, ...values), max: Math.max(...values, 0.001), orient: "horizontal", left: 0, bottom: 0,
      itemWidth: 14, itemHeight: Math.min(200, width / 2), calculable: false, precision: 1,
      text: [format(Math.max(...values, 0), data.unit), format(Math.min(0, ...values), data.unit)],
      textStyle: { color: palette.text, fontSize: 14 }, inRange: { color: palette.ramp },
    },
    series: [{ type: "heatmap", name: data.title, data: cells, emphasis: { disabled: true },
      itemStyle: { borderColor: palette.surface, borderWidth: data.x.length > 60 ? 0 : 1 } }],
    tooltip: {
      ...(common(data, palette).tooltip as object),
      formatter: (point: { value: [number, number, number | "-"] }) => {
        const [x, y, value] = point.value;
        return `${rows[y]} ${data.x[x]}\n${format(value === "-" ? null : value, data.unit)}`;
      },
    },
  };
}
