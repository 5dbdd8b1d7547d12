// The rating form. What is shown comes as `data`; what the rater does goes back as one message an action. Texts of models
// are put into the page as text nodes; Markdown arrives as HTML, of which only the elements in `data.tags` are copied, bare.
const UNANSWERED_MS = 5000;
const UNSENT = "This answer is not stored yet. Press Enter to send it again; however often it is sent, it is stored once.";

class Form {
  constructor(frame) {
    this.frame = frame;
    this.id = null;
    this.onKey = (event) => {
      if (frame.isConnected) this.key(event);
      else document.removeEventListener("keydown", this.onKey, true);
    };
    document.addEventListener("keydown", this.onKey, true);
  }

  show(data, send) {
    this.data = data;
    this.send = send;
    clearTimeout(this.timer);
    this.busy = false;
    const isHeard = this.pending && data.heard === this.pending.token;
    if (data.id !== this.id) {
      this.id = data.id;
      this.values = { ...(data.draft?.values ?? data.previous) };
      this.comment = data.draft?.comment ?? data.comment;
      this.order = [];
      this.now = 0;
      this.panel = null;
      this.drawnAt = performance.now();
      this.pending = null;
    }
    else if (isHeard && this.isAtOnce) this.values = { ...data.previous };  // it was not taken: nothing is chosen
    if (data.trouble && data.draft) {
      this.pending = data.draft;
      this.values = { ...data.draft.values };
    } else if (isHeard) this.pending = null;
    // Drawn again before the server dealt with what was sent: the connection was lost meanwhile.
    this.note = data.trouble || (this.pending ? UNSENT : data.note);
    this.isTrouble = Boolean(data.trouble || this.pending);
    this.draw();
  }

  get isRank() { return this.data.mode === "rank"; }
  get isAtOnce() { return this.data.mode === "pair" && this.data.criteria.length === 1; }
  get isComplete() { return this.data.criteria.every((one) => this.values[one.name] !== undefined); }

  act(kind, reason) {
    if (this.busy) return;
    if (performance.now() - this.drawnAt < this.data.dwell && kind !== "undo") {
      this.say(this.data.tooSoon, true);
      return;
    }
    this.busy = true;
    this.panel = null;
    const message = { item: this.id, kind, values: this.values, reason: reason ?? "", comment: this.comment,
      token: String(Math.random()) };
    this.pending = kind === "rate" || kind === "skip" ? message : null;
    this.timer = setTimeout(() => {
      this.busy = false;
      if (this.pending) this.say(UNSENT, true);
      this.paint();
    }, UNANSWERED_MS);
    this.say("", false);
    this.paint();
    this.send(message);
  }

  again() {
    const message = this.pending;
    this.values = { ...message.values };
    this.act(message.kind, message.reason);
  }

  submit() {
    if (this.pending && !this.busy) this.again();
    else if (this.isComplete) this.act("rate");
    else this.say(this.isRank ? "Rank every output first, or skip the item." : "Answer each line first, or skip the item.", false);
  }

  choose(place) {
    if (this.busy) return;
    if (this.isRank) return this.rank(place);
    const choice = this.data.choices[place];
    if (!choice) return;
    this.pending = null;
    this.values[this.data.criteria[this.now].name] = choice[0];
    if (this.isAtOnce) return this.act("rate");
    const last = this.data.criteria.length - 1;
    const open = this.data.criteria.findIndex((one, at) => at > this.now && this.values[one.name] === undefined);
    this.now = open >= 0 ? open : Math.min(this.now + 1, last);
    this.paint();
  }

  // Groups of outputs, best first: those in one group are tied.
  rank(place) {
    if (place >= this.data.panes.length || this.order.flat().includes(place)) return;
    this.pending = null;
    if (!this.order.length) delete this.values[this.data.criteria[this.now].name];
    if (this.tie && this.order.length) this.order.at(-1).push(place);
    else this.order.push([place]);
    this.tie = false;
    if (this.order.flat().length === this.data.panes.length) {
      this.values[this.data.criteria[this.now].name] = this.ranks();
      if (this.now < this.data.criteria.length - 1) { this.now += 1; this.order = []; }
    }
    this.paint();
  }

  ranks() {
    return this.data.panes.map((_, place) => this.order.findIndex((group) => group.includes(place)) + 1);
  }

  startOver() {
    this.order = [];
    this.tie = false;
    this.values = {};
    this.now = 0;
    this.pending = null;
    this.paint();
  }

  open(panel) {
    if (this.busy) return;
    this.panel = this.panel === panel ? null : panel;
    this.paint();
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || !this.data) return;
    const target = event.composedPath()[0];
    if (target.matches?.("input, textarea, select, [contenteditable=true]")) {
      if (event.key === "Escape") target.blur();
      return;
    }
    const onButton = target.matches?.("button, a, [role=button]");
    if (onButton && (event.key === "Enter" || event.key === " ") && !event.repeat) return;
    const act = this.meaning(event);
    if (!act) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (!event.repeat) act();  // a key that is held down says nothing about what it brought on screen
  }

  // Where a keyboard types other letters and signs, the key's place counts.
  meaning(event) {
    const digit = /^[1-9]$/.test(event.key) ? event.key : /^(?:Digit|Numpad)([1-9])$/.exec(event.code)?.[1];
    const letter = /^[a-z]$/i.test(event.key) ? event.key.toLowerCase() : /^Key([A-Z])$/.exec(event.code)?.[1].toLowerCase();
    if (digit) {
      const place = Number(digit) - 1;
      const reasons = this.panel && this.data.reasons[this.panel];
      return reasons ? () => reasons[place] && this.act(this.panel, reasons[place]) : () => this.choose(place);
    }
    if (event.key === "Enter") return () => this.submit();
    if (event.key === "Escape" && this.panel) return () => this.open(this.panel);
    if (event.key === "Backspace" && this.isRank) return () => this.startOver();
    return {
      s: () => this.open("skip"), f: () => this.open("flag"), u: () => this.act("undo"),
      ...(this.isRank ? { t: () => { this.tie = this.order.length > 0 && !this.tie; this.paint(); } } : {}),
    }[letter];
  }

  say(text, isTrouble) {
    this.note = text;
    this.isTrouble = isTrouble;
    this.paint();
  }

  draw() {
    const { data } = this;
    const root = document.createElement("div");
    const line = make(root, "div", "line");
    make(line, "span", "", data.place);
    make(line, "span", "", data.standing);
    make(make(root, "div", "bar"), "i").style.width = `${data.share * 100}%`;
    if (data.practice) make(root, "div", "practice", data.practice);
    const asked = make(root, "div", "asked");
    make(asked, "div", "label", "Prompt");
    drawText(asked, data.prompt, "Prompt", data);
    if (data.reference) {
      make(asked, "div", "label", "Reference");
      drawText(asked, data.reference, "Reference", data);
    }
    const panes = make(root, "div", "panes");
    panes.style.gridTemplateColumns = `repeat(${data.panes.length}, minmax(0, 1fr))`;
    data.panes.forEach((shown) => {
      const pane = make(panes, "div", "pane");
      make(make(pane, "div", "label"), "span", "", shown.name);
      make(pane.firstChild, "b");
      drawText(pane, shown, shown.name, data);
    });
    this.answers = make(root, "div");
    this.ends = make(root, "div", "ends");
    this.said = make(root, "div", "note");
    this.said.setAttribute("role", "status");
    const comment = make(root, "textarea");
    comment.placeholder = "Comment, if you like (Esc leaves this field)";
    comment.setAttribute("aria-label", "Comment");
    comment.value = this.comment;
    comment.maxLength = data.longestComment;
    comment.oninput = () => { this.comment = comment.value; };
    this.frame.replaceChildren(...root.childNodes);
    this.frame.dataset.item = data.id;
    this.paint();
  }

  paint() {
    this.frame.classList.toggle("busy", this.busy);
    this.answers.replaceChildren();
    if (this.panel) drawPanel(this);
    else if (this.isRank) drawRank(this);
    else if (this.isAtOnce) drawChoices(this);
    else drawRows(this);
    this.ends.replaceChildren();
    makeButton(this.ends, "Skip", "S", () => this.open("skip"));
    makeButton(this.ends, "Flag", "F", () => this.open("flag"));
    makeButton(this.ends, "Back", "U", () => this.act("undo"));
    if (this.pending && !this.busy) makeButton(this.ends, "Send again", "Enter", () => this.again()).className = "go";
    else if (!this.isAtOnce || this.data.previous) makeButton(this.ends, "Submit", "Enter", () => this.submit()).className = "go";
    this.said.textContent = this.note;
    this.said.classList.toggle("trouble", this.isTrouble && Boolean(this.note));
  }
}

export default function ({ data, parentElement, setTriggerValue }) {
  const frame = parentElement.querySelector(".form");
  frame.form ??= new Form(frame);
  frame.form.show(data, (message) => setTriggerValue("answer", message));
}
