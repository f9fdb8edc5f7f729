// How far colours are apart, to all eyes.

// Machado, Oliveira and Fernandes 2009, severity 1, on linear RGB.
const EYES = {
  all: [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
  protanopia: [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
  deuteranopia: [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
  tritanopia: [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
};

const parse = (text) => text.match(/[\d.]+/g).slice(0, 3).map((part) => Number(part) / 255);
const linear = (c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);

function lab(rgb, eye) {
  const light = rgb.map(linear);
  const [r, g, b] = EYES[eye].map((row) =>
    Math.min(1, Math.max(0, row.reduce((sum, factor, place) => sum + factor * light[place], 0))));
  const f = (t) => (t > 216 / 24389 ? Math.cbrt(t) : (24389 / 27 * t + 16) / 116);
  const x = f((0.4124564 * r + 0.3575761 * g + 0.1804375 * b) / 0.95047);
  const y = f(0.2126729 * r + 0.7151522 * g + 0.072175 * b);
  const z = f((0.0193339 * r + 0.119192 * g + 0.9503041 * b) / 1.08883);
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

/** The least distance (CIE 1976) of two computed colours to any eyes, and to which. */
export function distance(one, other) {
  return Object.keys(EYES)
    .map((eye) => {
      const [a, b] = [lab(parse(one), eye), lab(parse(other), eye)];
      return { eye, distance: Math.hypot(...a.map((value, place) => value - b[place])) };
    })
    .reduce((least, next) => (next.distance < least.distance ? next : least));
}

/** Computed colours of custom properties. */
export function tokens(page, names) {
  return page.evaluate((names) => {
    const probe = document.body.appendChild(document.createElement("span"));
    const found = Object.fromEntries(names.map((name) => {
      probe.style.color = `var(${name})`;
      return [name, getComputedStyle(probe).color];
    }));
    probe.remove();
    return found;
  }, names);
}
