// Items that are shown by outcome and by words.
{
  const list = document.querySelector("ol.items");
  const form = document.querySelector(".filter");
  if (list && form) {
    form.hidden = false;
    const words = form.querySelector("input");
    const buttons = [...form.querySelectorAll("button")];
    const shown = form.querySelector("output");
    const items = [...list.children].map((item) => ({
      item, outcome: item.dataset.outcome, text: item.textContent.toLowerCase(),
    }));
    const apply = () => {
      const outcome = buttons.find((b) => b.getAttribute("aria-pressed") === "true").value;
      const wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
      let count = 0;
      for (const { item, outcome: own, text } of items) {
        const fits = (outcome === "all" || own === outcome) && wanted.every((word) => text.includes(word));
        item.hidden = !fits;
        count += fits ? 1 : 0;
      }
      shown.textContent = `${count} of ${items.length} shown`;
    };
    for (const button of buttons) {
      button.addEventListener("click", () => {
        for (const other of buttons) other.setAttribute("aria-pressed", String(other === button));
        apply();
      });
    }
    words.addEventListener("input", apply);
    apply();
  }
}
