// Puts elements and texts into the page; nothing in a text means anything but its letters.
function make(parent, tag, className, text) {
  const node = parent.appendChild(document.createElement(tag));
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
}

function makeButton(parent, label, key, act) {
  const button = make(parent, "button");
  button.type = "button";
  if (label) make(button, "span", "", label);
  if (key) {
    make(button, "kbd", "", key);
    button.setAttribute("aria-keyshortcuts", key);
  }
  button.onclick = () => { button.blur(); act(); };
  return button;
}

function copyMarkup(from, to, tags) {
  for (const child of from.childNodes) {
    if (child.nodeType === Node.TEXT_NODE) appendExact(to, child.data);
    else if (child.nodeType === Node.ELEMENT_NODE) {
      const tag = child.localName;
      copyMarkup(child, tags.includes(tag) ? to.appendChild(document.createElement(tag)) : to, tags);
    }
  }
}

function drawText(parent, shown, name, data) {
  const text = make(parent, "div", "text");
  text.tabIndex = 0;
  text.setAttribute("role", "group");
  text.setAttribute("aria-label", name);
  text.dataset.name = name;
  if (shown.html !== undefined) {
    text.classList.add("rendered");
    copyMarkup(new DOMParser().parseFromString(shown.html, "text/html").body, text, data.tags);
    return;
  }
  const length = shown.pieces.reduce((sum, piece) => sum + piece[1].length, 0);
  const draw = (limit) => {
    text.replaceChildren();
    let left = limit;
    for (const [kind, piece] of shown.pieces) {
      if (left <= 0) break;
      const cut = /[\ud800-\udbff]/.test(piece[left - 1] ?? "") ? left - 1 : left;
      appendExact(kind === "same" ? text : text.appendChild(document.createElement(kind)), piece.slice(0, cut));
      left -= piece.length;
    }
  };
  draw(data.atOnce);
  if (length > data.atOnce) {
    const more = makeButton(parent, `Show all ${length.toLocaleString("en")} characters`, "", () => { draw(Infinity); more.remove(); });
  }
}
