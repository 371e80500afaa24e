// What a page puts into a chart's JSON island. `x` names the columns; a missing value is null.
export type ChartKind = "curve" | "heatmap" | "bars" | "rows";

export interface Series {
  name: string;
  data: (number | null)[];
}

export interface ChartData {
  title: string;
  unit: string;
  x: string[];
  series: Series[];
  summary?: string;
}

export function format(value: number | null | undefined, unit: string): string {
  if (value === null || value === undefined) return "–";
  return `${value.toLocaleString(document.documentElement.lang, { maximumFractionDigits: 2 })} ${unit}`.trim();
}
