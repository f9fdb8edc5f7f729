// Which events are shown and stepped through.

/** What can be chosen: messages by class, all else by kind of event. */
const CHOICES = [
  ["request", "requests", "class"],
  ["reply", "replies", "class"],
  ["error", "error replies", "class"],
  ["redirect", "redirects", "class"],
  ["handshake", "handshakes", "class"],
  ["replication", "replication", "class"],
  ["command", "commands", "kind"],
  ["gate", "gates", "kind"],
  ["node", "node states", "kind"],
  ["operator", "operator", "kind"],
  ["fault", "faults", "kind"],
  ["connection", "connections", "kind"],
];

class Filter {
  constructor(run, lanes) {
    this.run = run;
    this.lanes = lanes;
    this.wanted = new Set(CHOICES.map(([name]) => name));
    this.wanted.delete("replication");
    this.from = -Infinity;
    this.until = Infinity;
    this.bouncesOnly = false;
    this.apply();
  }

  /** Looks through all events again. */
  apply() {
    const { run, lanes } = this;
    const kinds = run.kinds.map((name) => this.wanted.has(name));
    const classes = run.classes.map((name) => this.wanted.has(name));
    const passes = new Uint8Array(run.count);
    const steps = [];
    for (let i = 0; i < run.count; i++) {
      const of = run.messageClass[i];
      if (!(of === 0 ? kinds[run.kind[i]] : classes[of])) continue;
      if (run.at[i] < this.from || run.sent[i] > this.until) continue;
      if (this.bouncesOnly && !run.bounce[i]) continue;
      passes[i] = 1;
      const other = run.other[i];
      if (lanes.own(run.lane[i]) && (other < 0 || lanes.own(other))) steps.push(i);
    }
    /** By event: whether it passes. */
    this.passes = passes;
    /** The events that pass and concern only lanes that are shown, in order. */
    this.steps = Uint32Array.from(steps);
  }

  admitsUndelivered(message) {
    return (
      this.wanted.has(this.run.classes[message.class]) &&
      message.at >= this.from &&
      message.at <= this.until &&
      !this.bouncesOnly &&
      this.lanes.own(message.from) &&
      this.lanes.own(message.to)
    );
  }
}
