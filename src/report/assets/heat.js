// The map of redirects: what a cell holds, by pointer and by arrow keys.
{
  const figure = document.getElementById("heat");
  const map = figure && JSON.parse(document.getElementById("data").textContent);
  if (map) {
    const readout = figure.querySelector(".readout");
    const first = BigInt(map.rows[0].from);
    const perRow = BigInt(map.seeds_per_row);
    const rows = new Map(map.rows.map((row) => [Number((BigInt(row.from) - first) / perRow), row]));
    const last = Math.max(...rows.keys());
    const seconds = (ns) => (ns / 1e9).toFixed(3) + "s";
    for (const svg of figure.querySelectorAll("svg")) {
      const of = (name) => Number(svg.dataset[name]);
      const [left, right, top, height, columns] =
        [of("left"), of("right"), of("top"), of("row"), of("columns")];
      const cursor = document.createElementNS("http://www.w3.org/2000/svg", "rect");
      cursor.setAttribute("class", "cursor");
      cursor.setAttribute("visibility", "hidden");
      svg.append(cursor);
      svg.setAttribute("tabindex", "0");
      let at = null;
      const show = (row, column) => {
        at = { row, column };
        const cell = (right - left) / columns;
        for (const [name, value] of Object.entries({
          x: left + cell * column, y: top + height * row, width: cell, height,
          visibility: "visible",
        })) cursor.setAttribute(name, value);
        const data = rows.get(row);
        const from = first + perRow * BigInt(row);
        const seeds = perRow === 1n ? `seed ${from}` : `seeds ${from} to ${from + perRow - 1n}`;
        const time = `${seconds(column * map.column_ns)} to ${seconds((column + 1) * map.column_ns)}`;
        const count = data ? data.redirects[column] ?? 0 : 0;
        readout.textContent = data
          ? `${seeds}, ${time}: ${count.toLocaleString("en")} redirects in ${data.runs} run${data.runs === 1 ? "" : "s"}`
          : `${seeds}: no run`;
      };
      svg.addEventListener("pointermove", (event) => {
        const box = svg.getBoundingClientRect();
        const scale = svg.viewBox.baseVal.width / box.width;
        const x = (event.clientX - box.left) * scale;
        const y = (event.clientY - box.top) * scale;
        const row = Math.floor((y - top) / height);
        const column = Math.floor((x - left) / (right - left) * columns);
        if (row >= 0 && row <= last && column >= 0 && column < columns) show(row, column);
      });
      svg.addEventListener("keydown", (event) => {
        const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
        if (!step) return;
        event.preventDefault();
        const from = at ?? { row: 0, column: 0 };
        const [down, across] = at ? step : [0, 0];
        show(Math.min(last, Math.max(0, from.row + down)),
          Math.min(columns - 1, Math.max(0, from.column + across)));
      });
    }
  }
}
