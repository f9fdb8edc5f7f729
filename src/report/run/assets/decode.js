// What is packed in the page: columns of numbers with a table of sentences. Here they become
// typed arrays, in which the same place is one event.

/** Inflates the base64 text of a packed picture. */
async function unpacked(base64) {
  const binary = atob(base64);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return JSON.parse(await new Response(stream).text());
}

const GAP = "\u0001";

/** Sentences with their numbers put back. */
class Texts {
  constructor(sentences) {
    this.pieces = sentences.map((sentence) => sentence.split(GAP));
  }

  /** Where the numbers of each sentence in a column begin. */
  offsets(column) {
    const offsets = new Uint32Array(column.length);
    let at = 0;
    for (let i = 0; i < column.length; i++) {
      offsets[i] = at;
      at += this.pieces[column[i]].length - 1;
    }
    return offsets;
  }

  spelt(sentence, numbers, offset) {
    const pieces = this.pieces[sentence];
    let text = pieces[0];
    for (let i = 1; i < pieces.length; i++) text += numbers[offset + i - 1] + pieces[i];
    return text;
  }
}

/** The run, ready to be drawn. */
class Run {
  constructor(picture) {
    const { events, states } = picture;
    this.end = picture.end;
    this.window = picture.window;
    this.leftOut = picture.left_out;
    this.lanes = picture.lanes;
    this.kinds = picture.kinds;
    this.classes = picture.classes;
    this.texts = new Texts(picture.texts.sentences);
    const count = events.kind.length;
    this.count = count;
    this.at = summed(events.since_last, Float64Array);
    this.number = summed(events.number, Float64Array);
    this.kind = Uint8Array.from(events.kind);
    this.messageClass = Uint8Array.from(events.class);
    this.lane = Uint32Array.from(events.lane);
    this.other = Int32Array.from(events.other, (lane) => lane - 1);
    this.sent = new Float64Array(count);
    this.decided = new Int32Array(count);
    let slowest = 0;
    for (let i = 0; i < count; i++) {
      this.sent[i] = this.at[i] - events.travelled[i];
      slowest = Math.max(slowest, events.travelled[i]);
      this.decided[i] = events.decided[i] ? i - events.decided[i] : -1;
    }
    /** No message travelled longer. */
    this.slowest = slowest;
    this.command = Float64Array.from(events.command, (command) => command - 1);
    this.hop = Uint32Array.from(events.hop, (hop) => hop >> 1);
    this.bounce = Uint8Array.from(events.hop, (hop) => hop & 1);
    this.sentence = Uint32Array.from(events.sentence);
    this.numbers = events.numbers;
    this.offset = this.texts.offsets(this.sentence);
    this.undelivered = picture.undelivered;
    this.bands = picture.bands;
    this.statesOf = this.lanes.map(() => ({ after: [], row: [] }));
    const after = summed(states.after, Uint32Array);
    states.lane.forEach((lane, i) => {
      this.statesOf[lane].after.push(after[i]);
      this.statesOf[lane].row.push(i);
    });
    this.stateColumns = states;
    this.stateOffset = this.texts.offsets(states.sentence);
    this.laneOf = new Map(this.lanes.map((lane, i) => [lane.name, i]));
    this.clients = this.lanes.flatMap((lane, i) => (lane.kind === "client" ? [i] : []));
  }

  /** What happens in event `i`, to be read after the name of its lane. */
  words(i) {
    return this.texts.spelt(this.sentence[i], this.numbers, this.offset[i]);
  }

  /** A whole sentence of the table. */
  whole(text) {
    return this.texts.pieces[text][0];
  }

  isMessage(i) {
    return this.messageClass[i] !== 0;
  }

  /** What the host of `lane` is and does once event `i` has happened. */
  state(lane, i) {
    const { after, row } = this.statesOf[lane];
    const place = firstAbove(after, i + 1) - 1;
    if (place < 0) return "";
    const at = row[place];
    return this.texts.spelt(this.stateColumns.sentence[at], this.stateColumns.numbers, this.stateOffset[at]);
  }

  /** The lane of a client by its name, or by its number through all groups. */
  client(name) {
    const lane = this.laneOf.get(name);
    if (lane !== undefined && this.lanes[lane].kind === "client") return lane;
    return /^\d+$/.test(name) ? this.clients[Number(name)] : undefined;
  }
}

function summed(differences, Type) {
  const sums = new Type(differences.length);
  let sum = 0;
  for (let i = 0; i < differences.length; i++) {
    sum += differences[i];
    sums[i] = sum;
  }
  return sums;
}

/** The first place of an ascending list whose value is above `value`. */
function firstAbove(list, value) {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (list[middle] > value) high = middle;
    else low = middle + 1;
  }
  return low;
}
