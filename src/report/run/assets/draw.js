// Puts the picture on a canvas: axis, bands, events, cursor. Where more messages are in view than
// an eye can follow, they are counted by columns instead.

/** More arrows than this in view are counted instead of drawn. */
const MOST_ARROWS = 2500;
/** Redirects are numbered where no more than this are in view. */
const MOST_NUMBERS = 400;

const BAND_STRIP = {
  primary: 0, replica: 0, "link-down": 0, synchronizing: 0, absent: 0,
  "waiting-for-sync": 1, "in-progress": 1, "manual-failover": 1,
  holding: 2,
  fault: 3,
};
const STRIPS = [
  { y: 18, height: 16 },
  { y: 35, height: 12 },
  { y: 48, height: 5 },
  { y: 54, height: 5 },
];
const BAND_COLOUR = {
  primary: "primary", replica: "replica", "link-down": "replica", synchronizing: "syncing",
  absent: "panel", "waiting-for-sync": "syncing", "in-progress": "handing-over",
  "manual-failover": "syncing", holding: "paused", fault: "fault",
};
const CLASS_COLOUR = {
  point: "faint", request: "request", reply: "reply", error: "bad", redirect: "redirect",
  handshake: "handshake", replication: "line",
};
const COLOURS = [
  "paper", "panel", "line", "ink", "faint", "accent", "good", "bad", "primary", "replica",
  "syncing", "handing-over", "paused", "fault", "redirect", "bounce", "request", "reply",
  "handshake",
];

/** The page's colours as they are now, light or dark. */
function colours() {
  const style = getComputedStyle(document.documentElement);
  const all = {};
  for (const name of COLOURS) all[name] = style.getPropertyValue("--" + name).trim();
  return all;
}

class Drawing {
  constructor(canvas, run, lanes, filter, view) {
    Object.assign(this, { canvas, run, lanes, filter, view });
    this.context = canvas.getContext("2d");
    /** Arrows and points as they were last drawn, for the pointer to find. */
    this.drawn = [];
    this.counted = false;
  }

  draw(cursor) {
    const { canvas, context, lanes, view } = this;
    const width = canvas.clientWidth;
    const height = lanes.height;
    const scale = window.devicePixelRatio || 1;
    canvas.style.height = height + "px";
    if (canvas.width !== Math.round(width * scale) || canvas.height !== Math.round(height * scale)) {
      canvas.width = Math.round(width * scale);
      canvas.height = Math.round(height * scale);
    }
    context.setTransform(scale, 0, 0, scale, 0, 0);
    this.colour = colours();
    this.font = getComputedStyle(document.body).fontFamily;
    view.left = 0;
    view.width = width;
    context.fillStyle = this.colour.paper;
    context.fillRect(0, 0, width, height);
    this.axis(width, height);
    for (const row of lanes.rows) this.lane(row, width);
    for (const band of this.run.bands) this.band(band, width);
    this.events(width);
    for (const band of this.run.bands) this.bandName(band, width);
    this.names();
    this.cursor(cursor, height);
  }

  axis(width, height) {
    const { context, colour, view } = this;
    const { step, times } = view.ticks(110);
    context.font = `12px ${this.font}`;
    context.textAlign = "left";
    for (const at of times) {
      const x = Math.round(view.x(at)) + 0.5;
      context.strokeStyle = colour.line;
      context.lineWidth = 1;
      context.beginPath();
      context.moveTo(x, 14);
      context.lineTo(x, height);
      context.stroke();
      context.fillStyle = colour.faint;
      const text = seconds(at, step);
      const room = context.measureText(text).width;
      // A label that would be cut at the edge says nothing.
      if (x + 3 + room < width) context.fillText(text, x + 3, 12);
    }
  }

  lane(row, width) {
    const { context, colour } = this;
    if (row.kind === "crowd") {
      context.fillStyle = colour.panel;
      context.fillRect(0, row.y + 16, width, row.height - 20);
      return;
    }
    context.strokeStyle = row.kind === "node" ? colour.line : colour.replica;
    context.lineWidth = 1;
    context.beginPath();
    context.moveTo(0, row.line + 0.5);
    context.lineTo(width, row.line + 0.5);
    context.stroke();
  }

  names() {
    const { context, colour } = this;
    context.font = `600 13px ${this.font}`;
    context.textAlign = "left";
    for (const row of this.lanes.rows) {
      const room = context.measureText(row.name).width;
      context.fillStyle = colour.paper;
      context.globalAlpha = 0.85;
      context.fillRect(0, row.y + 1, room + 10, 15);
      context.globalAlpha = 1;
      context.fillStyle = colour.ink;
      context.fillText(row.name, 4, row.y + 13);
    }
  }

  /** Where a band is, if it is in view. */
  bandBox(band, width) {
    const left = Math.max(this.view.x(band.from), 0);
    const right = Math.min(this.view.x(band.until), width);
    if (right <= 0 || left >= width) return undefined;
    const row = this.lanes.rows[this.lanes.slot[band.lane]];
    const strip = STRIPS[BAND_STRIP[band.kind]];
    return { left, right, y: row.y + strip.y, strip };
  }

  band(band, width) {
    const { context, colour } = this;
    const box = this.bandBox(band, width);
    if (!box) return;
    const { left, right, y, strip } = box;
    // What lasts for less than a pixel is seen all the same.
    const wide = Math.max(right - left, 1.5);
    context.fillStyle = colour[BAND_COLOUR[band.kind]];
    context.fillRect(left, y, wide, strip.height);
    if (band.kind === "link-down" || band.kind === "fault" || band.kind === "absent") {
      this.hatch(left, y, wide, strip.height, colour[band.kind === "absent" ? "faint" : "paper"]);
    }
  }

  /** A band's name, above what crosses the band; none where it has no room. */
  bandName(band, width) {
    const { context, colour } = this;
    const box = this.bandBox(band, width);
    if (!box || box.strip.height < 12) return;
    const { left, right, y, strip } = box;
    const text = this.run.whole(band.text);
    context.font = `${strip.height === 16 ? 12 : 11}px ${this.font}`;
    const room = context.measureText(text).width;
    if (room + 10 > right - left) return;
    // On hatching and on pale bands alike.
    context.fillStyle = colour.paper;
    context.fillRect(left + 2, y + 1, room + 6, strip.height - 2);
    context.fillStyle = colour.ink;
    context.textBaseline = "middle";
    context.fillText(text, left + 5, y + strip.height / 2 + 0.5);
    context.textBaseline = "alphabetic";
  }

  hatch(x, y, width, height, colour) {
    const { context } = this;
    context.save();
    context.beginPath();
    context.rect(x, y, width, height);
    context.clip();
    context.strokeStyle = colour;
    context.lineWidth = 1.5;
    context.beginPath();
    for (let at = x - height; at < x + width; at += 6) {
      context.moveTo(at, y + height);
      context.lineTo(at + height, y);
    }
    context.stroke();
    context.restore();
  }

  /** The rows that can have something in view: messages arrive later than they are sent. */
  inView() {
    const { run, view } = this;
    const first = firstAbove(run.at, view.from - 1);
    const last = firstAbove(run.at, view.until + run.slowest);
    return [first, last];
  }

  events(width) {
    const { run, lanes, filter, view } = this;
    const [first, last] = this.inView();
    const own = [];
    let arrows = 0;
    this.columns = new Columns(lanes.rows.length, Math.ceil(width));
    for (let i = first; i < last; i++) {
      if (!filter.passes[i] || run.sent[i] > view.until) continue;
      const slot = lanes.slot[run.lane[i]];
      if (slot < 0) continue;
      const rank = rankOf(run, i);
      const other = run.other[i];
      const otherSlot = other < 0 ? slot : lanes.slot[other];
      const crowd = lanes.rows[slot].kind === "crowd";
      const alone = !crowd && (otherSlot < 0 || lanes.rows[otherSlot].kind !== "crowd");
      if (run.at[i] <= view.until) {
        // What the crowd sends is its own, though a node receives it.
        const whose = !crowd && !alone ? otherSlot : slot;
        this.columns.add(whose, view.x(run.at[i]) | 0, rank);
      }
      if (alone) {
        own.push(i);
        if (run.isMessage(i) && otherSlot >= 0) arrows += 1;
      }
    }
    this.counted = arrows > MOST_ARROWS;
    this.drawn = this.counted ? [] : own;
    this.arrows = arrows;
    if (this.counted) {
      lanes.rows.forEach((row, slot) => this.bars(row, slot, row.kind === "crowd" ? 26 : 13));
    } else {
      for (const i of own) if (!run.isMessage(i)) this.point(i);
      // What matters more is drawn later, above the rest.
      for (let rank = 1; rank < RANKS.length; rank++) {
        for (const i of own) if (run.isMessage(i) && rankOf(run, i) === rank) this.arrow(i);
      }
      if (arrows <= MOST_NUMBERS) this.hopNumbers(own);
      lanes.rows.forEach((row, slot) => {
        if (row.kind === "crowd") this.bars(row, slot, 26);
      });
    }
    for (const message of run.undelivered) {
      if (filter.admitsUndelivered(message)) this.broken(message);
    }
  }

  /**
   * Counts as bars that stand on the lane: the taller, the more, by orders of magnitude. What
   * matters more stands in front.
   */
  bars(row, slot, tallest) {
    const { context, colour, columns } = this;
    const base = row.line;
    const most = Math.log2(columns.most + 1) || 1;
    for (let x = 0; x < columns.width; x++) {
      for (let rank = 1; rank < RANKS.length; rank++) {
        const count = columns.count(slot, x, rank);
        if (!count) continue;
        const height = Math.max((Math.log2(count + 1) / most) * tallest, 2);
        context.fillStyle = colour[RANKS[rank]];
        context.fillRect(x, base - height, 1, height);
      }
    }
  }

  ends(i) {
    const { run, lanes, view } = this;
    return [view.x(run.sent[i]), lanes.line(run.other[i]), view.x(run.at[i]), lanes.line(run.lane[i])];
  }

  arrow(i) {
    const { run, lanes, context, colour } = this;
    if (run.other[i] < 0 || !lanes.own(run.other[i])) return;
    const [x1, y1, x2, y2] = this.ends(i);
    const bounce = run.bounce[i];
    const name = run.classes[run.messageClass[i]];
    const tint = bounce ? colour.bounce : colour[CLASS_COLOUR[name]];
    context.strokeStyle = tint;
    context.fillStyle = tint;
    context.lineWidth = bounce ? 2.4 : name === "redirect" ? 1.8 : 1;
    context.setLineDash(name === "replication" ? [2, 3] : []);
    context.beginPath();
    context.moveTo(x1, y1);
    context.lineTo(x2, y2);
    context.stroke();
    context.setLineDash([]);
    head(context, x1, y1, x2, y2, bounce ? 7 : 5);
    if (bounce) diamond(context, (x1 + x2) / 2, (y1 + y2) / 2, 4.5);
  }

  hopNumbers(own) {
    const { run, context, colour, lanes } = this;
    context.font = `600 11px ${this.font}`;
    context.textAlign = "center";
    const ends = new Map();
    for (const i of own) {
      if (!run.hop[i] || !run.isMessage(i) || !lanes.own(run.other[i])) continue;
      const [x1, y1, x2, y2] = this.ends(i);
      const text = run.bounce[i] ? `${run.hop[i]} BOUNCE` : String(run.hop[i]);
      const short = String(run.hop[i]);
      const y = Math.round((y1 + y2) / 2) - 8;
      const x = (x1 + x2) / 2;
      // No number stands on another.
      for (const shown of text === short ? [text] : [text, short]) {
        const room = context.measureText(shown).width + 8;
        const free = ends.get(y) ?? -Infinity;
        if (x - room / 2 <= free && ends.has(y)) continue;
        if (shown === text && text !== short && x + room / 2 > this.nextHop(own, i, y)) continue;
        ends.set(y, x + room / 2);
        context.fillStyle = colour.paper;
        context.globalAlpha = 0.85;
        context.fillRect(x - room / 2 + 2, y - 9, room - 4, 12);
        context.globalAlpha = 1;
        context.fillStyle = run.bounce[i] ? colour.bounce : colour.redirect;
        context.fillText(shown, x, y);
        break;
      }
    }
    context.textAlign = "left";
  }

  /** Where the next numbered redirect at this height is, so that a long label leaves it room. */
  nextHop(own, i, y) {
    const { run, lanes } = this;
    let place = firstAbove(own, i);
    for (; place < own.length; place++) {
      const next = own[place];
      if (!run.hop[next] || !run.isMessage(next) || !lanes.own(run.other[next])) continue;
      const [x1, y1, x2, y2] = this.ends(next);
      if (Math.round((y1 + y2) / 2) - 8 === y) return (x1 + x2) / 2 - 12;
    }
    return Infinity;
  }

  point(i) {
    const { run, lanes, context, colour, view } = this;
    const x = view.x(run.at[i]);
    if (x < -4 || x > view.width + 4) return;
    const y = lanes.line(run.lane[i]);
    context.fillStyle = run.hop[i] ? (run.bounce[i] ? colour.bounce : colour.redirect) : colour.ink;
    if (run.kinds[run.kind[i]] === "fault") {
      context.fillStyle = colour.fault;
      diamond(context, x, y, 5);
    } else {
      context.fillRect(x - 0.75, y - 4, 1.5, 8);
    }
  }

  broken(message) {
    const { lanes, context, colour, view, run } = this;
    const x = view.x(message.at);
    if (x < -60 || x > view.width) return;
    const y1 = lanes.line(message.from);
    const y2 = lanes.line(message.to);
    const [tipX, tipY] = [x + 22, y1 + (y2 - y1) * 0.55];
    context.strokeStyle = message.lost ? colour.bad : colour[CLASS_COLOUR[run.classes[message.class]]];
    context.lineWidth = 1.8;
    context.setLineDash([5, 4]);
    context.beginPath();
    context.moveTo(x, y1);
    context.lineTo(tipX, tipY);
    context.stroke();
    context.setLineDash([]);
    if (!message.lost) return;
    context.beginPath();
    for (const [dx, dy] of [[5, 5], [5, -5]]) {
      context.moveTo(tipX - dx, tipY - dy);
      context.lineTo(tipX + dx, tipY + dy);
    }
    context.stroke();
  }

  cursor(i, height) {
    const { run, lanes, context, colour, view } = this;
    if (i < 0) return;
    const x = view.x(run.at[i]);
    context.strokeStyle = colour.accent;
    context.lineWidth = 1.5;
    context.beginPath();
    context.moveTo(x, 0);
    context.lineTo(x, height);
    context.stroke();
    if (!lanes.own(run.lane[i])) return;
    if (run.isMessage(i) && run.other[i] >= 0 && lanes.own(run.other[i])) {
      const [x1, y1, x2, y2] = this.ends(i);
      context.lineWidth = 4;
      context.globalAlpha = 0.45;
      context.beginPath();
      context.moveTo(x1, y1);
      context.lineTo(x2, y2);
      context.stroke();
      context.globalAlpha = 1;
    }
    context.fillStyle = colour.accent;
    context.beginPath();
    context.arc(x, lanes.line(run.lane[i]), 5, 0, 7);
    context.fill();
  }
}

/** Colours of what is counted, the least remarkable first. */
const RANKS = ["faint", "line", "request", "reply", "handshake", "bad", "redirect", "bounce"];
const RANK_OF = { point: 0, replication: 1, request: 2, reply: 3, handshake: 4, error: 5, redirect: 6 };

function rankOf(run, i) {
  if (run.bounce[i]) return 7;
  return RANK_OF[run.classes[run.messageClass[i]]];
}

/** How many events of each rank each lane has in each column of pixels. */
class Columns {
  constructor(lanes, width) {
    this.width = width;
    this.counts = new Uint32Array(lanes * width * RANKS.length);
    this.most = 0;
  }

  add(slot, x, rank) {
    if (x < 0 || x >= this.width) return;
    const count = ++this.counts[(slot * this.width + x) * RANKS.length + rank];
    if (count > this.most) this.most = count;
  }

  count(slot, x, rank) {
    return this.counts[(slot * this.width + x) * RANKS.length + rank];
  }
}

function head(context, x1, y1, x2, y2, size) {
  const angle = Math.atan2(y2 - y1, x2 - x1);
  context.beginPath();
  context.moveTo(x2, y2);
  context.lineTo(x2 - size * Math.cos(angle - 0.4), y2 - size * Math.sin(angle - 0.4));
  context.lineTo(x2 - size * Math.cos(angle + 0.4), y2 - size * Math.sin(angle + 0.4));
  context.fill();
}

function diamond(context, x, y, size) {
  context.beginPath();
  context.moveTo(x, y - size);
  context.lineTo(x + size, y);
  context.lineTo(x, y + size);
  context.lineTo(x - size, y);
  context.fill();
}
