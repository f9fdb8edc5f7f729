// The diagram of a run: puts the parts together and lets people move in it.

/** How much around an instant a link shows, if it does not say. */
const LINK_SPAN = 20e6;

class Diagram {
  constructor(run) {
    this.run = run;
    this.lanes = new Lanes(run);
    this.filter = new Filter(run, this.lanes);
    const from = run.window.from;
    const until = Math.min(run.window.until ?? run.end, run.end);
    this.view = new View(from, until);
    this.canvas = document.getElementById("canvas");
    this.tip = document.getElementById("tip");
    this.box = document.getElementById("diagram");
    this.drawing = new Drawing(this.canvas, run, this.lanes, this.filter, this.view);
    this.panel = new Panel(run, this.lanes, this.filter, (event) => this.goTo(event));
    this.cursor = this.firstOfInterest();
    this.pending = false;
    this.controls();
    this.pointer();
    this.keys();
    window.addEventListener("resize", () => this.redraw());
    window.addEventListener("beforeprint", () => this.now());
    window.addEventListener("hashchange", () => this.follow(location.hash));
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.redraw());
    if (location.hash.length > 1) this.follow(location.hash);
    this.chosen();
    this.now();
    this.panel.show(this.cursor);
  }

  /** The first bounce, or else the beginning. */
  firstOfInterest() {
    const { steps } = this.filter;
    const bounce = steps.find((i) => this.run.bounce[i] && this.run.isMessage(i));
    return bounce ?? (steps.length ? steps[0] : -1);
  }

  /** Draws at the next frame, once, however much has changed. */
  redraw() {
    if (this.pending) return;
    this.pending = true;
    requestAnimationFrame(() => {
      this.pending = false;
      this.now();
    });
  }

  now() {
    const begun = performance.now();
    this.drawing.draw(this.cursor);
    const { view, drawing } = this;
    document.getElementById("shown").textContent = drawing.counted
      ? `${drawing.arrows.toLocaleString("en")} messages in ${lasting(view.span)}: counted by columns; zoom in to see each`
      : `${seconds(view.from, view.span / 100)} to ${seconds(view.until, view.span / 100)}, ${lasting(view.span)}`;
    this.canvas.dataset.took = (performance.now() - begun).toFixed(2);
    this.canvas.dataset.arrows = drawing.arrows;
    this.canvas.dataset.from = view.from;
    this.canvas.dataset.until = view.until;
    this.canvas.dataset.cursor = this.cursor;
  }

  /** Moves the cursor to an event. */
  goTo(event) {
    if (event === undefined || event < 0) return;
    this.cursor = event;
    this.view.reveal(this.run.at[event]);
    this.panel.show(event);
    this.redraw();
    this.link();
  }

  /** The event `by` places further among those that pass the filter. */
  step(by) {
    const { steps } = this.filter;
    if (!steps.length) return;
    const after = firstAbove(steps, this.cursor);
    const place = by > 0 ? after + by - 1 : after - (steps[after - 1] === this.cursor ? 1 : 0) + by;
    this.goTo(steps[Math.min(Math.max(place, 0), steps.length - 1)]);
  }

  /** The next event that is `wanted`, in either direction. */
  seek(direction, wanted) {
    const { steps } = this.filter;
    let place = firstAbove(steps, this.cursor) - (direction > 0 ? 0 : 1);
    if (direction < 0 && steps[place] === this.cursor) place -= 1;
    for (; place >= 0 && place < steps.length; place += direction) {
      if (wanted(steps[place])) return this.goTo(steps[place]);
    }
    this.say(direction > 0 ? "There is none after this." : "There is none before this.");
  }

  seekBounce(direction) {
    this.seek(direction, (i) => this.run.bounce[i] && this.run.isMessage(i));
  }

  say(text) {
    document.getElementById("said").textContent = text;
  }

  follow(hash) {
    const link = readLink(hash);
    for (const name of [...link.clients].reverse()) {
      const lane = this.run.client(name);
      if (lane === undefined) this.say(`The link names client ${name}, and there is none.`);
      else this.lanes.show(lane);
    }
    if (link.clients.length) this.changed();
    if (link.at !== undefined) {
      const span = link.span ?? Math.min(LINK_SPAN, this.view.span);
      this.view.show(link.at - span / 2, link.at + span / 2);
      const steps = this.filter.steps;
      // The last event up to that instant; of the client, if it has one there.
      const last = firstAbove(this.run.at, link.at) - 1;
      let place = firstAbove(steps, last) - 1;
      const client = link.clients.length ? this.run.client(link.clients[0]) : undefined;
      for (let near = place; near >= 0 && this.run.at[steps[near]] === this.run.at[steps[place]]; near--) {
        if (this.run.lane[steps[near]] === client) {
          place = near;
          break;
        }
      }
      if (place >= 0) this.cursor = steps[place];
      else if (steps.length) this.cursor = steps[0];
      this.panel.show(this.cursor);
      this.box.scrollIntoView({ block: "nearest" });
    }
    this.redraw();
  }

  /** Keeps the address true, so that it can be passed on. */
  link() {
    const shown = this.lanes.clients.slice(0, 4).map((lane) => this.run.lanes[lane].name);
    const hash = writtenLink(this.run.at[this.cursor], this.view.span, shown);
    clearTimeout(this.linking);
    this.linking = setTimeout(() => history.replaceState(null, "", hash), 150);
  }

  /** Lanes or filter are others now. */
  changed() {
    this.filter.apply();
    const { steps } = this.filter;
    if (steps.length && !(this.cursor >= 0 && this.filter.passes[this.cursor])) {
      this.cursor = steps[Math.min(firstAbove(steps, Math.max(this.cursor, 0)), steps.length - 1)];
    } else if (!steps.length) {
      this.cursor = -1;
    }
    this.chosen();
    this.panel.show(this.cursor);
    this.redraw();
  }

  /** The clients that have a lane, each with a button that takes it away. */
  chosen() {
    const list = document.getElementById("chosen");
    list.replaceChildren(
      ...this.lanes.clients.map((lane) => {
        const item = document.createElement("li");
        const button = element("button", "", `${this.run.lanes[lane].name} ×`);
        button.type = "button";
        button.setAttribute("aria-label", `Hide client ${this.run.lanes[lane].name}`);
        button.addEventListener("click", () => {
          this.lanes.hide(lane);
          this.changed();
        });
        item.append(button);
        return item;
      }),
    );
  }

  controls() {
    const on = (id, act) => document.getElementById(id).addEventListener("click", act);
    on("first", () => this.goTo(this.filter.steps[0]));
    on("back", () => this.step(-1));
    on("forward", () => this.step(1));
    on("last", () => this.goTo(this.filter.steps[this.filter.steps.length - 1]));
    on("bounce", () => this.seekBounce(1));
    on("closer", () => this.zoom(0.5));
    on("wider", () => this.zoom(2));
    on("whole", () => this.zoom(Infinity));
    document.getElementById("bounce").disabled = !this.run.bounce.includes(1);
    const kinds = document.getElementById("kinds");
    const used = new Set();
    for (let i = 0; i < this.run.count; i++) {
      const of = this.run.messageClass[i];
      used.add(of === 0 ? this.run.kinds[this.run.kind[i]] : this.run.classes[of]);
    }
    for (const [name, words] of CHOICES) {
      if (!used.has(name)) continue;
      const label = document.createElement("label");
      const box = document.createElement("input");
      box.type = "checkbox";
      box.name = "kind";
      box.value = name;
      box.checked = this.filter.wanted.has(name);
      box.addEventListener("change", () => {
        if (box.checked) this.filter.wanted.add(name);
        else this.filter.wanted.delete(name);
        this.changed();
      });
      label.append(box, " " + words);
      kinds.append(label);
    }
    const bounces = document.getElementById("bounces-only");
    bounces.addEventListener("change", () => {
      this.filter.bouncesOnly = bounces.checked;
      this.changed();
    });
    const names = document.getElementById("clients");
    names.replaceChildren(
      ...this.run.clients.map((lane) => {
        const option = document.createElement("option");
        option.value = this.run.lanes[lane].name;
        return option;
      }),
    );
    const client = document.getElementById("client");
    document.getElementById("choose").addEventListener("submit", (event) => {
      event.preventDefault();
      const lane = this.run.client(client.value.trim());
      if (lane === undefined) {
        this.say(`There is no client ${client.value}: names are such as ${this.run.lanes[this.run.clients[0]]?.name}.`);
        return;
      }
      this.say("");
      client.value = "";
      this.lanes.show(lane);
      this.changed();
    });
    const span = document.getElementById("span");
    const [from, until] = [document.getElementById("from"), document.getElementById("until")];
    span.addEventListener("submit", (event) => {
      event.preventDefault();
      const bounds = [from, until].map((field) => (field.value.trim() ? parsedTime(field.value) : null));
      const wrong = bounds.findIndex((bound) => bound === undefined);
      if (wrong >= 0) {
        this.say(`${[from, until][wrong].value} is not a time: expected one such as 1.2s or 350ms.`);
        return;
      }
      const [least, most] = [bounds[0] ?? -Infinity, bounds[1] ?? Infinity];
      if (least >= most) {
        this.say("Nothing lies between these times: the second must be later.");
        return;
      }
      this.say("");
      this.filter.from = least;
      this.filter.until = most;
      this.view.show(Math.max(least, this.view.least), Math.min(most, this.view.most));
      this.changed();
    });
  }

  zoom(factor, x) {
    if (factor === Infinity) this.view.show(this.view.least, this.view.most);
    else this.view.zoom(factor, x ?? this.focus());
    this.redraw();
    if (this.cursor >= 0) this.link();
  }

  /** Zooming keeps the cursor where it is, if it is in view. */
  focus() {
    if (this.cursor < 0) return undefined;
    const x = this.view.x(this.run.at[this.cursor]);
    return x >= 0 && x <= this.view.width ? x : undefined;
  }

  keys() {
    this.box.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const acts = {
        ArrowRight: () => this.step(event.shiftKey ? 10 : 1),
        ArrowLeft: () => this.step(event.shiftKey ? -10 : -1),
        Home: () => this.goTo(this.filter.steps[0]),
        End: () => this.goTo(this.filter.steps[this.filter.steps.length - 1]),
        "+": () => this.zoom(0.5),
        "=": () => this.zoom(0.5),
        "-": () => this.zoom(2),
        0: () => this.zoom(Infinity),
        b: () => this.seekBounce(1),
        B: () => this.seekBounce(-1),
      };
      const act = acts[event.key];
      if (!act) return;
      event.preventDefault();
      this.say("");
      act();
    });
  }

  pointer() {
    const { canvas } = this;
    const pointers = new Map();
    let moved = 0;
    const place = (event) => {
      const box = canvas.getBoundingClientRect();
      return [event.clientX - box.left, event.clientY - box.top];
    };
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      pointers.set(event.pointerId, place(event));
      moved = 0;
    });
    canvas.addEventListener("pointermove", (event) => {
      const [x, y] = place(event);
      const before = pointers.get(event.pointerId);
      if (!before) {
        this.hover(x, y);
        return;
      }
      this.tip.hidden = true;
      if (pointers.size === 2) {
        const other = [...pointers].find(([id]) => id !== event.pointerId)[1];
        const [was, is] = [Math.abs(before[0] - other[0]), Math.abs(x - other[0])];
        if (was > 8 && is > 8) this.view.zoom(was / is, (x + other[0]) / 2);
      } else {
        this.view.pan(before[0] - x);
      }
      moved += Math.abs(before[0] - x) + Math.abs(before[1] - y);
      pointers.set(event.pointerId, [x, y]);
      this.redraw();
    });
    const up = (event) => {
      const [x, y] = place(event);
      if (pointers.delete(event.pointerId) && moved < 4 && event.type === "pointerup") this.click(x, y);
      else if (this.cursor >= 0) this.link();
    };
    canvas.addEventListener("pointerup", up);
    canvas.addEventListener("pointercancel", up);
    canvas.addEventListener("pointerleave", () => {
      this.tip.hidden = true;
    });
    canvas.addEventListener(
      "wheel",
      (event) => {
        const [x] = place(event);
        if (event.ctrlKey || event.metaKey) this.zoom(Math.exp(event.deltaY * 0.002), x);
        else if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
          this.view.pan(event.deltaX || event.deltaY);
          this.redraw();
        } else return;
        event.preventDefault();
      },
      { passive: false },
    );
    canvas.addEventListener("dblclick", (event) => this.zoom(0.25, place(event)[0]));
  }

  click(x, y) {
    const found = picked(this.drawing, x, y);
    this.box.focus({ preventScroll: true });
    if (found?.event !== undefined) {
      this.goTo(found.event);
      return;
    }
    const at = this.view.time(x);
    const place = firstAbove(this.filter.steps, firstAbove(this.run.at, at) - 1) - 1;
    this.goTo(this.filter.steps[Math.max(place, 0)]);
  }

  hover(x, y) {
    const { run, tip } = this;
    const found = picked(this.drawing, x, y);
    let parts = [];
    if (found?.event !== undefined) {
      parts = [element("span", "when", seconds(run.at[found.event], 1e3)), " ", ...this.panel.sentence(found.event)];
    } else if (found?.bands) {
      parts = found.bands.map((band) => element("div", "", `${run.lanes[band.lane].name}: ${run.whole(band.text)}, ${seconds(band.from, 1e3)} to ${seconds(band.until, 1e3)} (${lasting(band.until - band.from)})`));
    } else if (found?.counts) {
      parts = [countWords(found)];
    }
    tip.hidden = !parts.length || parts[0] === "";
    if (tip.hidden) return;
    tip.replaceChildren(...parts);
    const room = this.box.clientWidth;
    tip.style.maxWidth = Math.min(420, room - 16) + "px";
    tip.style.left = Math.max(Math.min(x + 14, room - tip.offsetWidth - 4), 4) + "px";
    tip.style.top = y + 18 + "px";
  }
}

async function main() {
  const data = document.getElementById("data");
  const section = document.getElementById("happened");
  if (!data || !section) return;
  try {
    const picture = await unpacked(JSON.parse(data.textContent).picture);
    section.hidden = false;
    new Diagram(new Run(picture));
    document.documentElement.dataset.drawn = Math.round(performance.now());
  } catch (error) {
    const note = document.getElementById("no-diagram");
    note.hidden = false;
    note.textContent = `The diagram cannot be drawn here: ${error.message}`;
    throw error;
  }
}

main();
