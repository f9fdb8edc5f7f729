// What is under the pointer.

const REACH = 7;

/** The event nearest to a place on the canvas, or what is counted there, or nothing. */
function picked(drawing, x, y) {
  const { run, lanes, view } = drawing;
  const row = lanes.at(y);
  if (!row) return undefined;
  let best;
  let nearest = REACH;
  for (const i of drawing.drawn) {
    const away = distance(drawing, i, x, y);
    // Of two as near, a message says more than a point, and a redirect more than another.
    if (away < nearest || (away === nearest && best !== undefined && rankOf(run, i) > rankOf(run, best))) {
      nearest = away;
      best = i;
    }
  }
  if (best !== undefined) return { event: best };
  if (row.kind === "node") {
    const at = view.time(x);
    const bands = run.bands.filter((band) => {
      const strip = STRIPS[BAND_STRIP[band.kind]];
      const here = y >= row.y + strip.y && y < row.y + strip.y + strip.height;
      return band.lane === row.lane && band.from <= at && at < band.until && here;
    });
    if (bands.length) return { bands, row };
  }
  if (row.kind === "crowd" || drawing.counted) return { row, ...countedAt(drawing, row, x) };
  return undefined;
}

function distance(drawing, i, x, y) {
  const { run, lanes, view } = drawing;
  const x2 = view.x(run.at[i]);
  const y2 = lanes.line(run.lane[i]);
  const other = run.other[i];
  if (!run.isMessage(i) || other < 0 || !lanes.own(other)) return Math.hypot(x - x2, y - y2);
  const x1 = view.x(run.sent[i]);
  const y1 = lanes.line(other);
  const length = (x2 - x1) ** 2 + (y2 - y1) ** 2;
  const along = length ? ((x - x1) * (x2 - x1) + (y - y1) * (y2 - y1)) / length : 0;
  const share = Math.min(Math.max(along, 0), 1);
  return Math.hypot(x - x1 - share * (x2 - x1), y - y1 - share * (y2 - y1));
}

/** What is counted around a column of pixels. */
function countedAt(drawing, row, x) {
  const slot = drawing.lanes.rows.indexOf(row);
  const counts = new Array(RANKS.length).fill(0);
  for (let column = (x | 0) - 2; column <= (x | 0) + 2; column++) {
    if (column < 0 || column >= drawing.columns.width) continue;
    for (let rank = 0; rank < RANKS.length; rank++) counts[rank] += drawing.columns.count(slot, column, rank);
  }
  const from = drawing.view.time(x - 2);
  const until = drawing.view.time(x + 3);
  return { counts, from, until };
}

const RANK_WORDS = [
  ["other event", "other events"], ["message between nodes", "messages between nodes"],
  ["request", "requests"], ["reply", "replies"], ["handshake", "handshakes"], ["error", "errors"],
  ["redirect", "redirects"], ["BOUNCE", "BOUNCES"],
];

function countWords({ row, counts, from, until }) {
  const some = counts.flatMap((count, rank) => (count ? [`${count} ${RANK_WORDS[rank][count === 1 ? 0 : 1]}`] : []));
  if (!some.length) return "";
  return `${row.name}, ${seconds(from, (until - from) / 2)} to ${seconds(until, (until - from) / 2)}: ${some.reverse().join(", ")}`;
}
