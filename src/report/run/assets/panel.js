// The run in words around the cursor: the event, what everybody is and does, the events before
// and after. It is all that a screen reader needs.

const AROUND = 12;

class Panel {
  constructor(run, lanes, filter, goTo) {
    Object.assign(this, { run, lanes, filter, goTo });
    this.event = document.getElementById("event");
    this.states = document.querySelector("#states tbody");
    this.list = document.querySelector("#events tbody");
    this.place = document.getElementById("place");
  }

  show(i) {
    const { run } = this;
    if (i < 0) {
      this.event.textContent = "Nothing passes the filter.";
      this.list.replaceChildren();
      return;
    }
    this.place.textContent = `${seconds(run.at[i], 1e3)}, event ${(run.number[i] + 1).toLocaleString("en")}`;
    this.event.replaceChildren(...this.sentence(i));
    this.states.replaceChildren(...this.stateRows(i));
    this.list.replaceChildren(...this.eventRows(i));
  }

  sentence(i) {
    const { run } = this;
    const parts = [strong(run.lanes[run.lane[i]].name), " " + run.words(i)];
    const by = run.decided[i];
    if (by >= 0 && run.isMessage(i)) {
      parts.push(element("span", "gate", `Decided at ${seconds(run.at[by], 1e3)}: ${run.lanes[run.lane[by]].name} ${run.words(by)}`));
    }
    return parts;
  }

  stateRows(i) {
    const { run, lanes } = this;
    const whose = [...lanes.nodes, ...lanes.clients];
    return whose.map((lane) => {
      const row = document.createElement("tr");
      const name = document.createElement("th");
      name.scope = "row";
      name.textContent = run.lanes[lane].name;
      if (lane === run.lane[i]) row.className = "here";
      row.append(name, element("td", "", run.state(lane, i)));
      return row;
    });
  }

  eventRows(i) {
    const { run, filter } = this;
    const place = firstAbove(filter.steps, i) - 1;
    const first = Math.max(place - AROUND, 0);
    const shown = filter.steps.subarray(first, first + 2 * AROUND + 1);
    return Array.from(shown, (event) => {
      const row = document.createElement("tr");
      const go = element("button", "at", seconds(run.at[event], 1e3));
      go.type = "button";
      go.addEventListener("click", () => this.goTo(event));
      const when = document.createElement("td");
      when.append(go);
      const words = element("td", "", "");
      words.append(strong(run.lanes[run.lane[event]].name), " " + run.words(event));
      row.append(when, words);
      if (event === i) {
        row.className = "here";
        row.setAttribute("aria-current", "true");
      }
      if (run.bounce[event]) row.classList.add("bounce");
      return row;
    });
  }
}

function element(name, className, text) {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.textContent = text;
  return made;
}

function strong(text) {
  return element("strong", "", text);
}
