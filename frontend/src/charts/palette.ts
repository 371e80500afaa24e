// Colours of charts come from the design tokens, read from the stylesheet: one source for page and picture.
export interface Palette {
  series: string[];
  ramp: string[];
  text: string;
  muted: string;
  line: string;
  surface: string;
  font: string;
}

export function readPalette(): Palette {
  const styles = getComputedStyle(document.documentElement);
  const token = (name: string) => styles.getPropertyValue(name).trim();
  return {
    series: [1, 2, 3, 4].map((n) => token(`--chart-${n}`)),
    ramp: [1, 2, 3, 4, 5].map((n) => token(`--chart-ramp-${n}`)),
    text: token("--text"),
    muted: token("--text-muted"),
    line: token("--line"),
    surface: token("--surface"),
    font: getComputedStyle(document.body).fontFamily,
  };
}
