// Which lanes are shown, and where.

const NODE_HEIGHT = 82;
const CLIENT_HEIGHT = 34;
const CROWD_HEIGHT = 52;
const AXIS_HEIGHT = 26;

/** As many clients have a lane of their own at first. */
const FIRST_CLIENTS = 6;

class Lanes {
  constructor(run) {
    this.run = run;
    const active = new Set();
    for (let i = 0; i < run.count; i++) active.add(run.lane[i]);
    const of = (kind) => run.lanes.flatMap((lane, i) => (lane.kind === kind ? [i] : []));
    this.nodes = of("node");
    this.others = [...of("operator"), ...of("sentinel")].filter((lane) => active.has(lane));
    const flagged = run.clients
      .filter((lane) => run.lanes[lane].flagged !== null)
      .sort((a, b) => run.lanes[a].flagged - run.lanes[b].flagged || a - b);
    const rest = run.clients.filter((lane) => run.lanes[lane].flagged === null);
    this.clients = [...flagged, ...rest].slice(0, FIRST_CLIENTS);
    this.layOut();
  }

  /** The clients that have no lane of their own. */
  get folded() {
    return this.run.clients.length - this.clients.length;
  }

  shows(client) {
    return this.clients.includes(client);
  }

  show(client) {
    if (!this.shows(client)) this.clients.unshift(client);
    this.layOut();
  }

  hide(client) {
    this.clients = this.clients.filter((lane) => lane !== client);
    this.layOut();
  }

  /** Places of all lanes; `slot` says of each host's lane which it is drawn in. */
  layOut() {
    const rows = [];
    let y = AXIS_HEIGHT;
    const add = (lane, kind, name, height, line) => {
      rows.push({ lane, kind, name, y, height, line: y + line });
      y += height;
    };
    for (const lane of this.others) add(lane, "other", this.run.lanes[lane].name, CLIENT_HEIGHT, 24);
    for (const lane of this.nodes) add(lane, "node", this.run.lanes[lane].name, NODE_HEIGHT, 74);
    for (const lane of this.clients) add(lane, "client", this.run.lanes[lane].name, CLIENT_HEIGHT, 24);
    const crowd = rows.length;
    if (this.folded > 0) {
      const name = this.folded === 1 ? "1 other client" : `${this.folded} other clients`;
      add(-1, "crowd", name, CROWD_HEIGHT, CROWD_HEIGHT - 8);
    }
    this.rows = rows;
    this.height = y + 6;
    this.slot = new Int32Array(this.run.lanes.length).fill(-1);
    if (this.folded > 0) for (const lane of this.run.clients) this.slot[lane] = crowd;
    rows.forEach((row, i) => {
      if (row.lane >= 0) this.slot[row.lane] = i;
    });
  }

  /** Whether a host has a lane of its own. */
  own(lane) {
    const slot = this.slot[lane];
    return slot >= 0 && this.rows[slot].kind !== "crowd";
  }

  line(lane) {
    return this.rows[this.slot[lane]].line;
  }

  at(y) {
    return this.rows.find((row) => y >= row.y && y < row.y + row.height);
  }
}
