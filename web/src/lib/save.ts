// Files that the browser saves.

/** Saves a file under a name. */
export function save(name: string, content: Blob): void {
  const url = URL.createObjectURL(content);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  // The browser has taken the file over by then.
  setTimeout(() => {
    URL.revokeObjectURL(url);
  }, 10_000);
}

/** The most pixels along one side of a picture that browsers make. */
const MOST_PIXELS = 12_000;

/** An SVG document as a PNG, twice as fine as its size where that is not too large. */
export async function toPng(svg: string): Promise<Blob> {
  const url = URL.createObjectURL(new Blob([svg], { type: "image/svg+xml" }));
  try {
    const image = new Image();
    image.src = url;
    await image.decode();
    const canvas = document.createElement("canvas");
    const fine = Math.min(2, MOST_PIXELS / Math.max(image.naturalWidth, image.naturalHeight));
    canvas.width = Math.round(image.naturalWidth * fine);
    canvas.height = Math.round(image.naturalHeight * fine);
    canvas.getContext("2d")!.drawImage(image, 0, 0, canvas.width, canvas.height);
    const blob = await new Promise<Blob | null>((resolve) => {
      canvas.toBlob(resolve, "image/png");
    });
    if (!blob) throw new Error("the browser made no picture");
    return blob;
  } finally {
    URL.revokeObjectURL(url);
  }
}

const PROPERTIES = [
  "fill",
  "stroke",
  "stroke-width",
  "stroke-dasharray",
  "font-family",
  "font-size",
  "font-weight",
  "text-anchor",
  "paint-order",
  "opacity",
];

const SVG = "http://www.w3.org/2000/svg";
const MARGIN = 16;
const LINE = 17;

/**
 * A drawn SVG as a document of its own: what the style sheet says stands in it,
 * all of its extent is there, however little the page shows, and words above it
 * say what it is.
 */
export function standalone(svg: SVGSVGElement, title: readonly string[]): string {
  const copy = svg.cloneNode(true) as SVGSVGElement;
  const from = [svg, ...svg.querySelectorAll("*")];
  const to = [copy, ...copy.querySelectorAll("*")];
  from.forEach((element, i) => {
    const style = getComputedStyle(element);
    const target = to[i]!;
    target.removeAttribute("class");
    target.removeAttribute("style");
    for (const name of PROPERTIES) {
      const value = style.getPropertyValue(name);
      if (value !== "" && value !== "none 0px") target.setAttribute(name, value);
    }
  });
  const [width = 0, height = 0] = (svg.dataset["extent"] ?? "").split(" ").map(Number);
  const top = title.length > 0 ? MARGIN + title.length * LINE : 0;
  const longest = title.reduce((most, line) => Math.max(most, line.length), 0);
  const whole = [Math.ceil(Math.max(width, longest * 7 + 2 * MARGIN)), Math.ceil(height + top)] as const;
  copy.setAttribute("xmlns", SVG);
  copy.setAttribute("width", String(whole[0]));
  copy.setAttribute("height", String(whole[1]));
  copy.setAttribute("viewBox", `0 0 ${whole[0]} ${whole[1]}`);
  copy.querySelector("[data-scene]")?.setAttribute("transform", `translate(0 ${top})`);
  const colour = (name: string) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const add = (name: string, attributes: Record<string, string | number>) => {
    const element = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
    return element;
  };
  title.forEach((line, i) => {
    const text = add("text", {
      x: MARGIN,
      y: MARGIN + LINE * (i + 0.6),
      fill: colour(i === 0 ? "--ink" : "--ink-2"),
      "font-family": "sans-serif",
      "font-size": i === 0 ? 14 : 12,
      "font-weight": i === 0 ? "bold" : "normal",
    });
    text.textContent = line;
    copy.prepend(text);
  });
  copy.prepend(add("rect", { width: "100%", height: "100%", fill: colour("--bg") }));
  return new XMLSerializer().serializeToString(copy);
}
