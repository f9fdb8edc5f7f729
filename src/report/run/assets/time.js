// Virtual time in words, and the part of it that is in view.

const SECOND = 1e9;

/** `1.315021s`: seconds with as many digits as `step` needs, at most nanoseconds. */
function seconds(ns, step = 1e3) {
  let digits = 0;
  while (digits < 9 && step < SECOND / 10 ** digits) digits += 1;
  return (ns / SECOND).toFixed(digits) + "s";
}

/** A length of time in the unit that reads best. */
function lasting(ns) {
  if (ns >= SECOND) return trimmed(ns / SECOND) + " s";
  if (ns >= 1e6) return trimmed(ns / 1e6) + " ms";
  if (ns >= 1e3) return trimmed(ns / 1e3) + " µs";
  return ns + " ns";
}

function trimmed(value) {
  return String(Number(value.toPrecision(4)));
}

/** Nanoseconds of `1.2s`, `1200ms`, `5us` or `1.2` (seconds); nothing if it is none of these. */
function parsedTime(text) {
  const match = /^\s*(\d+(?:\.\d+)?)\s*(ns|us|µs|ms|s)?\s*$/.exec(text);
  if (!match) return undefined;
  const unit = { ns: 1, us: 1e3, "µs": 1e3, ms: 1e6, s: SECOND }[match[2] ?? "s"];
  return Math.round(Number(match[1]) * unit);
}

/** The part of the run that is in view, and where it is on a line of `width` pixels. */
class View {
  constructor(from, until) {
    this.least = from;
    this.most = Math.max(until, from + 1e3);
    this.from = this.least;
    this.until = this.most;
    this.left = 0;
    this.width = 1;
  }

  get span() {
    return this.until - this.from;
  }

  x(at) {
    return this.left + ((at - this.from) / this.span) * this.width;
  }

  time(x) {
    return this.from + ((x - this.left) / this.width) * this.span;
  }

  show(from, until) {
    const whole = this.most - this.least;
    const span = Math.min(Math.max(until - from, 1e3), whole);
    const start = Math.min(Math.max((from + until - span) / 2, this.least), this.most - span);
    this.from = start;
    this.until = start + span;
  }

  /** Shows more (above 1) or less, with the time at `x` where it is. */
  zoom(factor, x = this.left + this.width / 2) {
    const at = this.time(x);
    const span = Math.min(Math.max(this.span * factor, 1e3), this.most - this.least);
    const share = (x - this.left) / this.width;
    this.show(at - share * span, at + (1 - share) * span);
  }

  pan(pixels) {
    const by = (pixels / this.width) * this.span;
    this.show(this.from + by, this.until + by);
  }

  /** Moves as little as it takes to have `at` in view, with something around it. */
  reveal(at) {
    const margin = this.span * 0.05;
    if (at < this.from + margin) this.show(at - this.span / 4, at + (this.span * 3) / 4);
    else if (at > this.until - margin) this.show(at - (this.span * 3) / 4, at + this.span / 4);
  }

  /** Times for the axis: round, and no closer than `pixels`. */
  ticks(pixels) {
    const least = (pixels / this.width) * this.span;
    let step = 10 ** Math.floor(Math.log10(least));
    for (const factor of [1, 2, 5, 10]) {
      if (step * factor >= least) {
        step *= factor;
        break;
      }
    }
    const times = [];
    for (let at = Math.ceil(this.from / step) * step; at <= this.until; at += step) times.push(at);
    return { step, times };
  }
}
