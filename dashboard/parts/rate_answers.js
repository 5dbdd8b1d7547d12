// Draws the answers of each mode; what a press of one means is the form's.
function drawPanel(form) {
  const panel = make(form.answers, "div", "panel");
  make(panel, "div", "label", form.panel === "skip" ? "Why skip it?" : "What is wrong with it? It stays here to be rated.");
  form.data.reasons[form.panel].forEach((reason, place) => {
    makeButton(panel, reason, String(place + 1), () => form.act(form.panel, reason));
  });
  makeButton(panel, "Cancel", "Esc", () => form.open(form.panel));
}

function drawChoices(form) {
  const { choices, criteria } = form.data;
  const grid = make(form.answers, "div", choices.length > 4 ? "choices scale" : "choices");
  grid.style.gridTemplateColumns = `repeat(${choices.length > 4 ? choices.length : 2}, minmax(0, 1fr))`;
  choices.forEach(([value, label], place) => {
    const button = makeButton(grid, label, String(place + 1), () => form.choose(place));
    button.setAttribute("aria-pressed", form.values[criteria[0].name] === value);
  });
}

function drawRows(form) {
  const { choices, criteria, mode } = form.data;
  const rows = make(form.answers, "div", mode === "score" ? "rows" : "rows wide");
  criteria.forEach((one, at) => {
    const name = make(rows, "div", at === form.now ? "name now" : "name", one.label);
    name.onclick = () => { form.now = at; form.paint(); };
    if (mode === "score") make(rows, "div", "low", one.low);
    const set = make(rows, "div", "set");
    choices.forEach(([value, label], place) => {
      const key = String(place + 1);
      const button = makeButton(set, label === key ? "" : label, key, () => { form.now = at; form.choose(place); });
      button.setAttribute("aria-label", `${one.label}: ${label}`);
      button.setAttribute("aria-pressed", form.values[one.name] === value);
    });
    if (mode === "score") make(rows, "div", "high", one.high);
  });
}

function drawRank(form) {
  const { criteria, panes } = form.data;
  const criterion = criteria[form.now];
  const given = form.order.length ? form.ranks() : form.values[criterion.name] ?? panes.map(() => 0);
  form.frame.querySelectorAll(".pane .label b").forEach((mark, place) => {
    mark.textContent = given[place] ? `Rank ${given[place]}` : "";
  });
  const which = criteria.length > 1 ? `${criterion.label}: ` : "";
  const next = form.tie ? "Which is as good as the last one?" : form.order.length ? "Which is next?" : "Which is best?";
  const isDone = given.every(Boolean);
  make(form.answers, "div", "label", which + (isDone ? "Ranked. Enter submits." : next));
  const set = make(form.answers, "div", "choices");
  set.style.gridTemplateColumns = `repeat(${panes.length + 2}, minmax(0, 1fr))`;
  panes.forEach((pane, place) => {
    const button = makeButton(set, pane.name, String(place + 1), () => form.choose(place));
    button.setAttribute("aria-pressed", given[place] > 0);
  });
  makeButton(set, "As good as the last", "T", () => { form.tie = form.order.length > 0 && !form.tie; form.paint(); })
    .setAttribute("aria-pressed", Boolean(form.tie));
  makeButton(set, "Start over", "Backspace", () => form.startOver());
}
